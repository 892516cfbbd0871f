// Who gets in, and what each may do.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { newContext, settle, signIn, visit } from './browser.mjs';
import { watch } from './watch.mjs';

export const access = (given) =>
  describe('people and keys', () => {
    let tab;
    let target;
    let browser;
    before(() => {
      ({ tab, target, browser } = given());
    });
    const stranger = async (url) => {
      const context = await newContext(browser);
      const page = await context.newPage();
      const { problems } = watch(page, target, { mayFail: true });
      await page.goto(url);
      return { context, page, problems };
    };

    it('nobody without a link, and the page says how to get one', async () => {
      const { context, page, problems } = await stranger(`${target.origin}/#/visitors`);
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      assert.ok((await page.locator('main').innerText()).includes('identity invite --label ana --role admin'));
      assert.deepEqual(problems, []);
      await context.close();
    });

    it('a link lets in once, and leaves nothing behind in the address or in reach of scripts', async () => {
      const link = await target.link({ label: 'once', role: 'viewer', projects: [target.project] });
      const { context, page } = await stranger(link);
      await page.waitForURL((url) => !url.hash.includes('sign-in'));
      await settle(page);
      assert.equal(await page.evaluate(() => document.cookie), '');
      const [cookie] = await context.cookies();
      assert.ok(cookie.httpOnly);
      assert.equal(cookie.sameSite, 'Strict');
      await page.goto('about:blank');
      await page.goBack();
      assert.ok(!page.url().includes('sign-in'));
      await context.close();
      const second = await stranger(link);
      await second.page.getByRole('heading', { name: 'This link does not let you in any more' }).waitFor();
      assert.ok((await second.page.locator('main').innerText()).includes('identity invite'));
      await second.context.close();
    });

    it('a link that is too old or made up does not let in', async () => {
      const links = [`${target.origin}/#/sign-in/${'x'.repeat(43)}`, `${target.origin}/#/sign-in/`];
      if (!process.env.IDENTITY_SERVES_DASHBOARD) links.push(await target.link({ label: 'late', age: 16 * 60_000 }));
      for (const link of links) {
        const { context, page } = await stranger(link);
        await page.getByRole('heading', { name: 'This link does not let you in any more' }).waitFor();
        await context.close();
      }
    });

    it('a key is shown once, works, is rotated and revoked', async () => {
      await visit(tab, target, '#/api');
      const form = tab.getByRole('form', { name: 'Make a key' });
      await form.getByLabel('Label').fill('from the test');
      await form.getByLabel('Requests a minute').fill('120');
      await form.getByRole('button', { name: 'Make a key' }).click();
      const shown = tab.locator('.made .code');
      const key = await shown.innerText();
      assert.match(key, /^sk_live_[A-Za-z0-9]{32}$/);
      assert.ok(await target.hasKey(key));
      const row = tab.getByRole('row').filter({ hasText: 'from the test' });
      await row.waitFor();
      assert.match(await row.innerText(), /Secret\s+sk_live_\w{4}…\s+120/);
      await tab.reload();
      await settle(tab);
      assert.ok(!(await tab.locator('body').innerText()).includes(key));

      await row.getByRole('button', { name: 'Rotate key from the test' }).click();
      await tab.waitForFunction(() => document.activeElement.textContent === 'Cancel');
      await tab.keyboard.press('Escape');
      await tab.waitForFunction(() => document.activeElement.textContent === 'Rotate');
      assert.ok(await target.hasKey(key));
      await row.getByRole('button', { name: 'Rotate key from the test' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      const rotated = await shown.innerText();
      assert.notEqual(rotated, key);
      assert.ok(await target.hasKey(rotated));
      await tab.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await tab.getByRole('button', { name: 'Copy: Your new key' }).click();
      await tab.getByText('Copied', { exact: true }).waitFor();
      assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), rotated);
      await tab.evaluate(() => navigator.clipboard.writeText(''));
      await tab.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }));
      await tab.getByRole('button', { name: 'Copy: Base URL' }).click();
      assert.equal(await tab.evaluate(() => String(getSelection())), `${target.origin}/api/v1`);
      await tab.getByRole('button', { name: 'I have copied it' }).click();
      assert.ok(!(await tab.locator('body').innerText()).includes(rotated));

      await row.getByRole('button', { name: 'Revoke key from the test' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      await row.waitFor({ state: 'detached' });
      if (!process.env.IDENTITY_SERVES_DASHBOARD) assert.equal(await target.hasKey(rotated), false);
    });

    it('a new public key completes the snippet, and the page says whether data arrives', async () => {
      await visit(tab, target, '#/api');
      const snippet = tab.getByLabel('Send data', { exact: true });
      assert.ok((await snippet.innerText()).includes('pk_live_…'));
      const form = tab.getByRole('form', { name: 'Make a key' });
      await form.getByLabel('Kind').selectOption('public');
      await form.getByLabel('Label').fill('public of the test');
      await form.getByRole('button', { name: 'Make a key' }).click();
      const key = await tab.locator('.made .code').innerText();
      assert.match(key, /^pk_live_/);
      assert.equal(await snippet.innerText(), `<script async src="${target.origin}/identity.js" data-key="${key}"></script>`);
      await tab.getByText(/Data arrives\. The latest event came .* ago\./).waitFor();
      assert.ok((await tab.getByLabel('A request', { exact: true }).innerText()).includes(`${target.origin}/api/v1/stats?start_date=`));
      await visit(tab, target, '#/api?project=shop');
      await tab.getByText('Waiting for a first event').waitFor();
      await visit(tab, target, `#/?project=${target.project}`);
    });

    it('projects are made and changed, and then can be chosen', async () => {
      const id = `made-${Date.now()}`;
      await visit(tab, target, '#/settings');
      await tab.getByRole('button', { name: 'New project' }).click();
      const form = tab.getByRole('form', { name: 'New project' });
      await form.getByLabel('Identifier').fill(id);
      await form.getByLabel('Name').fill('Made here');
      await form.getByLabel('Own hosts').fill('a.example\nb.example');
      await form.getByRole('button', { name: 'Save' }).click();
      const row = tab.getByRole('row').filter({ hasText: id });
      await row.waitFor();
      assert.match(await row.innerText(), /a\.example, b\.example\s+any/);
      await row.getByRole('button', { name: 'Edit project Made here' }).click();
      const edit = tab.getByRole('form', { name: 'Edit project Made here' });
      await edit.getByLabel('Name').fill('Made anew');
      await edit.getByLabel('Allowed origins').fill('https://a.example');
      await edit.getByRole('button', { name: 'Save' }).click();
      await tab.getByRole('row').filter({ hasText: 'Made anew' }).filter({ hasText: 'https://a.example' }).waitFor();
      await tab.locator('.project-switch option', { hasText: 'Made anew' }).waitFor({ state: 'attached' });
    });

    it('an admin invites somebody, who sees figures and nothing else, and is sent away again', async () => {
      await visit(tab, target, '#/settings');
      const form = tab.getByRole('form', { name: 'Invite somebody' });
      await form.getByLabel('Name').fill('vera');
      await form.getByLabel('Projects').selectOption(target.project);
      await form.getByRole('button', { name: 'Make a link' }).click();
      const link = await tab.locator('.made .code').innerText();
      assert.ok(link.startsWith(`${target.origin}/#/sign-in/`));

      const { context, page, problems } = await stranger(link);
      await page.waitForURL((url) => !url.hash.includes('sign-in'));
      await page.waitForFunction(() => document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1);
      await settle(page);
      assert.ok((await page.locator('.account').innerText()).includes('vera, Viewer'));
      assert.equal(await page.getByRole('link', { name: 'Settings' }).count(), 0);
      assert.deepEqual(await page.getByLabel('Project').locator('option').allTextContents(), [target.project]);
      await page.getByRole('link', { name: 'API', exact: true }).click();
      await page.getByLabel('Base URL', { exact: true }).waitFor();
      const text = await page.locator('main').innerText();
      assert.ok(text.includes('The key for it is made by an admin.'));
      assert.equal(await page.getByRole('button', { name: 'Make a key' }).count(), 0);
      await page.goto(`${target.origin}/#/settings`);
      await page.getByText('There is no such page').first().waitFor();
      const managed = await page.evaluate(async (project) => {
        const statuses = {};
        for (const path of [`keys?project=${project}`, 'projects', 'people']) statuses[path.split('?')[0]] = (await fetch(`/manage/v1/${path}`)).status;
        return statuses;
      }, target.project);
      assert.deepEqual(managed, { keys: 403, projects: 403, people: 403 });
      assert.deepEqual(problems, []);

      await tab.reload();
      await settle(tab);
      const row = tab.getByRole('row').filter({ hasText: 'vera' });
      await row.getByRole('button', { name: 'Remove vera' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      await row.waitFor({ state: 'detached' });
      if (!process.env.IDENTITY_SERVES_DASHBOARD) {
        await page.goto(`${target.origin}/#/forms`);
        await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      }
      await context.close();
    });

    it('a viewer of all projects names the one to see', async () => {
      const { context, page } = await stranger(await target.link({ label: 'viewer of all', role: 'viewer' }));
      await page.getByText('Which project?').waitFor();
      await page.getByLabel('Identifier of a project').fill(target.project);
      await page.getByRole('button', { name: 'Open' }).click();
      await page.waitForFunction(() => document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1);
      await context.close();
    });

    it('who signs out is out', async () => {
      const { context, tab: page } = await signIn(browser, target, { label: 'leaver', role: 'viewer', projects: [target.project] });
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      await context.close();
    });

    it('another site can neither read nor change anything with the cookie', async () => {
      const { context, tab: page } = await signIn(browser, target, { label: 'victim' });
      const other = await context.newPage();
      // Another origin: the same machine by another name.
      await other.route('http://evil.localhost/**', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
      await other.goto('http://evil.localhost/');
      const outcomes = await other.evaluate(async (origin) => {
        const attempt = async (path, init) => {
          try {
            const response = await fetch(origin + path, { credentials: 'include', mode: 'no-cors', ...init });
            return response.type;
          } catch {
            return 'blocked';
          }
        };
        return [await attempt('/api/v1/stats'), await attempt('/manage/v1/sign-out', { method: 'POST', body: '{}' })];
      }, target.origin);
      assert.ok(
        outcomes.every((outcome) => ['opaque', 'blocked'].includes(outcome)),
        outcomes.join(),
      );
      await page.reload();
      await settle(page);
      assert.ok((await page.locator('.account').innerText()).includes('victim'));
      await context.close();
    });
  });
