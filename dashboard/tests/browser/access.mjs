// Who gets in, and what each may do there.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { PAGES, newContext, settle, signIn, visit } from './browser.mjs';
import { readTable } from './tables.mjs';
import { watch } from './watch.mjs';

/** What an admin can do: method, path and body. */
const managing = (project, { key, person }) => [
  ['GET', `keys?project=${project}`],
  ['GET', 'projects'],
  ['GET', 'people'],
  ['POST', 'keys', { project, kind: 'secret' }],
  ['POST', `keys/${key}/rotate`, {}],
  ['DELETE', `keys/${key}`, {}],
  ['POST', 'projects', { id: 'stolen' }],
  ['PATCH', `projects/${project}`, { name: 'stolen' }],
  ['POST', 'people', { label: 'stolen', role: 'admin', projects: null }],
  ['DELETE', `people/${person}`, {}],
];
const MANAGING = 10;

const statusesOf = (page, requests) =>
  page.evaluate(async (requests) => {
    const statuses = [];
    for (const [method, path, body] of requests) {
      const init = body ? { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : { method };
      statuses.push((await fetch(`/manage/v1/${path}`, init)).status);
    }
    return statuses;
  }, requests);

/** A key and an admin of all, whom nobody else may touch, and all keys and projects. */
const idsOf = (page, project) =>
  page.evaluate(async (project) => {
    const list = async (path) => (await (await fetch(`/manage/v1/${path}`)).json()).data;
    const [keys, projects] = await Promise.all([list(`keys?project=${project}`), list('projects')]);
    const me = (await (await fetch('/manage/v1/me')).json()).data;
    return { key: keys[0].id, person: me.id, keys: keys.map(({ id }) => id), projects: projects.map(({ id, name }) => [id, name]) };
  }, project);

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
      const { problems, requests } = watch(page, target, { mayFail: true });
      await page.goto(url);
      return { context, page, problems, requests };
    };

    const statusWith = async (key) => (await fetch(`${target.origin}/api/v1/stats`, { headers: { Authorization: `Bearer ${key}` } })).status;

    it('nobody without a link, and the page says how to get one', async () => {
      const { context, page, problems } = await stranger(`${target.origin}/#/visitors`);
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      assert.ok((await page.locator('main').innerText()).includes('identity invite --label ana --role admin'));
      assert.deepEqual(problems, []);
      await context.close();
    });

    it('the link that `identity dev` prints lets its first reader in, as admin of all', async () => {
      const { context, page, problems } = await stranger(target.firstLink);
      await page.getByRole('link', { name: 'Settings' }).waitFor();
      assert.match(await page.locator('.account').innerText(), /Admin/);
      assert.deepEqual(await page.getByLabel('Project').locator('option').allTextContents(), ['demo', 'Web shop']);
      assert.deepEqual(problems, []);
      await context.close();
      const second = await stranger(target.firstLink);
      await second.page.getByRole('heading', { name: 'This link does not let you in any more' }).waitFor();
      await second.context.close();
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

    it('a link that is guessed does not let in', async () => {
      const link = await target.link({ label: 'not guessed' });
      const near = link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
      for (const guess of [near, `${target.origin}/#/sign-in/${'x'.repeat(43)}`, `${target.origin}/#/sign-in/`, `${target.origin}/#/sign-in/${'x'.repeat(5000)}`]) {
        const { context, page } = await stranger(guess);
        await page.getByRole('heading', { name: 'This link does not let you in any more' }).waitFor();
        assert.deepEqual(await context.cookies(), []);
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
      assert.equal(await statusWith(key), 200);
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
      assert.equal(await statusWith(key), 200);
      await row.getByRole('button', { name: 'Rotate key from the test' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      const rotated = await shown.innerText();
      assert.notEqual(rotated, key);
      assert.equal(await statusWith(rotated), 200);
      assert.equal(await statusWith(key), 401);
      await tab.reload();
      await settle(tab);
      assert.doesNotMatch(await row.innerText(), /never/, 'its use is known');
      await row.getByRole('button', { name: 'Rotate key from the test' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      const copied = await shown.innerText();
      await tab.context().grantPermissions(['clipboard-write']);
      await tab.getByRole('button', { name: 'Copy: Your new key' }).click();
      await tab.getByText('Copied', { exact: true }).waitFor();
      // The page itself may not read what is on the clipboard.
      await form.getByLabel('Label').press('Control+V');
      assert.equal(await form.getByLabel('Label').inputValue(), copied);
      await form.getByLabel('Label').fill('');
      await tab.evaluate(() => navigator.clipboard.writeText(''));
      await tab.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }));
      await tab.getByRole('button', { name: 'Copy: Base URL' }).click();
      assert.equal(await tab.evaluate(() => String(getSelection())), `${target.origin}/api/v1`);
      await tab.getByRole('button', { name: 'I have copied it' }).click();
      assert.ok(!(await tab.locator('body').innerText()).includes(copied));

      await row.getByRole('button', { name: 'Revoke key from the test' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      await row.waitFor({ state: 'detached' });
      assert.deepEqual([await statusWith(rotated), await statusWith(copied)], [401, 401]);
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

    it('an admin invites somebody, who sees figures and nothing else, and is sent away while looking', async () => {
      await visit(tab, target, '#/settings');
      const form = tab.getByRole('form', { name: 'Invite somebody' });
      await form.getByLabel('Name').fill('vera');
      await form.getByLabel('Projects').selectOption(target.project);
      await form.getByRole('button', { name: 'Make a link' }).click();
      const link = await tab.locator('.made .code').innerText();
      assert.ok(link.startsWith(`${target.origin}/#/sign-in/`));

      const { context, page, problems, requests } = await stranger(link);
      await page.waitForURL((url) => !url.hash.includes('sign-in'));
      await page.waitForFunction(() => document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1);
      await settle(page);
      assert.ok((await page.locator('.account').innerText()).includes('vera, Viewer'));
      assert.equal(await page.getByRole('link', { name: 'Settings' }).count(), 0);
      assert.deepEqual(await page.getByLabel('Project').locator('option').allTextContents(), [target.project]);
      for (const name of PAGES.filter((name) => name !== 'settings')) {
        await visit(page, target, `#/${name}`);
        const buttons = await page.locator('main button').allInnerTexts();
        assert.deepEqual(
          buttons.filter((text) => /key|rotate|revoke|project|link|remove|save$/i.test(text)),
          [],
          name,
        );
      }
      await visit(page, target, '#/api');
      await page.getByLabel('Base URL', { exact: true }).waitFor();
      assert.ok((await page.locator('main').innerText()).includes('The key for it is made by an admin.'));
      assert.equal(await page.getByRole('heading', { name: 'Keys' }).count(), 0);
      await page.goto(`${target.origin}/#/settings`);
      await page.getByText('There is no such page').first().waitFor();
      const asked = new Set(requests.map((request) => new URL(request.url()).pathname).filter((path) => path.startsWith('/manage/')));
      assert.deepEqual([...asked], ['/manage/v1/sign-in', '/manage/v1/me']);
      assert.deepEqual(problems, []);

      const ids = await idsOf(tab, target.project);
      assert.deepEqual(await statusesOf(page, managing(target.project, ids)), Array(MANAGING).fill(403));
      assert.deepEqual(await statusesOf(page, [['GET', 'nowhere']]), [404]);
      assert.deepEqual(await idsOf(tab, target.project), ids);

      await visit(page, target, '#/forms');
      await tab.reload();
      await settle(tab);
      const row = tab.getByRole('row').filter({ hasText: 'vera' });
      await row.getByRole('button', { name: 'Remove vera' }).click();
      await row.getByRole('button', { name: 'Yes' }).click();
      await row.waitFor({ state: 'detached' });
      assert.deepEqual(await statusesOf(page, [['GET', 'me']]), [401]);
      await page.getByRole('link', { name: 'Speed', exact: true }).click();
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      assert.equal(await page.locator('.panel').count(), 0);
      await context.close();
    });

    it('a viewer of all projects chooses among them', async () => {
      const { context, page } = await stranger(await target.link({ label: 'viewer of all', role: 'viewer' }));
      await page.waitForFunction(() => document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1);
      const options = await page.getByLabel('Project').locator('option').allTextContents();
      assert.ok(options.includes(target.project) && options.includes('Web shop'), options.join());
      await page.getByLabel('Project').selectOption('shop');
      await page.getByText('Waiting for the first event').waitFor();
      assert.equal(await page.getByLabel('Send data').count(), 0);
      await context.close();
    });

    it('an admin of one project manages that one, and has nothing of another', async () => {
      const ids = await idsOf(tab, target.project);
      const { context, page } = await stranger(await target.link({ label: 'shopkeeper', role: 'admin', projects: ['shop'] }));
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('heading', { name: 'People' }).waitFor();
      await settle(page);
      assert.equal(await page.getByRole('button', { name: 'New project' }).count(), 0);
      assert.deepEqual(
        (await readTable(page, 'Projects')).map(([, id]) => id),
        ['shop'],
      );
      assert.deepEqual(await page.locator('.project-switch option').allTextContents(), ['Web shop']);
      assert.deepEqual(await page.getByRole('form', { name: 'Invite somebody' }).getByLabel('Projects').locator('option').allTextContents(), ['Web shop']);
      const text = await page.locator('body').innerText();
      assert.ok(!text.includes(target.project) && !text.includes('Made anew'));

      await visit(page, target, '#/api');
      const form = page.getByRole('form', { name: 'Make a key' });
      await form.getByLabel('Label').fill('of the shop');
      await form.getByRole('button', { name: 'Make a key' }).click();
      assert.equal(await statusWith(await page.locator('.made .code').innerText()), 200);

      await visit(page, target, `#/visitors?project=${target.project}`);
      await page.getByText(`There is no project ${target.project}`).waitFor();
      const others = managing(target.project, ids).filter(([method, path]) => !['people', 'projects'].includes(path) || method === 'POST');
      assert.deepEqual(
        (await statusesOf(page, others)).filter((status) => ![403, 404].includes(status)),
        [],
      );
      assert.deepEqual(await statusesOf(page, [['POST', 'people', { label: 'x', role: 'viewer', projects: null }]]), [403]);
      assert.deepEqual(await statusesOf(page, [['POST', 'people', { label: 'x', role: 'viewer', projects: ['shop', target.project] }]]), [404]);
      const figures = await page.evaluate(async (project) => {
        const paths = ['stats', 'visitors', 'sessions', 'events', 'events/types', 'live', 'pages', 'acquisition', 'audience', 'metrics'];
        paths.push(...['frustration', 'errors', 'clicks', 'seo', 'journeys', 'reading', 'forms'].map((name) => `insights/${name}`));
        return Promise.all(paths.map(async (path) => (await fetch(`/api/v1/${path}`, { headers: { 'Identity-Project': project } })).status));
      }, target.project);
      assert.deepEqual(new Set(figures), new Set([404]));
      assert.deepEqual(await idsOf(tab, target.project), ids);
      await context.close();
    });

    it('who signs out is out, and a cookie that was kept is worth nothing', async () => {
      const { context, tab: page } = await signIn(browser, target, { label: 'leaver', role: 'viewer', projects: [target.project] });
      const kept = await context.cookies();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      assert.deepEqual(await context.cookies(), []);
      await context.addCookies(kept);
      await page.reload();
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      const statuses = await page.evaluate(
        async (project) => [(await fetch('/manage/v1/me')).status, (await fetch('/api/v1/stats', { headers: { 'Identity-Project': project } })).status],
        target.project,
      );
      assert.deepEqual(statuses, [401, 401]);
      await context.close();
    });
  });
