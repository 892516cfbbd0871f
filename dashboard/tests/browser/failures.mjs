// What the page says when the API does not answer as it should.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PAGES, settle, signIn, visit } from './browser.mjs';
import { watch } from './watch.mjs';

const error = (status, code, message) => ({ status, contentType: 'application/json', body: JSON.stringify({ error: { status, code, message } }) });

export const failures = (given) =>
  describe('failures are told, with a way on', () => {
    let context;
    let tab;
    let target;
    let watched;
    before(async () => {
      target = given().target;
      ({ context, tab } = await signIn(given().browser, target));
      watched = watch(tab, target, { mayFail: true });
    });
    after(async () => {
      watched.assertQuiet();
      await context.close();
    });
    const failWith = (answer) => context.route(/\/api\/v1\//, (route) => (answer ? route.fulfill(answer) : route.abort('connectionrefused')));
    const heal = () => context.unrouteAll();

    for (const [name, answer, title] of [
      ['503', error(503, 'unavailable', 'Try again.'), 'The server is busy'],
      ['500', error(500, 'internal_error', 'An internal error.'), 'That did not work'],
      ['an answer that is no JSON', { status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }, 'That did not work'],
      ['no answer at all', undefined, 'No answer'],
    ]) {
      it(`${name}, on every page`, async () => {
        await failWith(answer);
        for (const page of PAGES.filter((page) => !['api', 'settings'].includes(page))) {
          await visit(tab, target, `#/${page}${page.includes('?') ? '&' : '?'}range=7d&${encodeURIComponent(name)}`);
          const alert = tab.getByRole('alert').first();
          assert.ok((await alert.innerText()).includes(title), page);
          assert.ok(await alert.getByRole('button', { name: 'Try again' }).count(), page);
        }
        await visit(tab, target, '#/forms?range=7d');
        await heal();
        const buttons = tab.getByRole('button', { name: 'Try again' });
        while (await buttons.count()) {
          await buttons.first().click();
          await settle(tab);
        }
        await settle(tab);
        await tab.locator('table').first().waitFor();
        assert.equal(await tab.getByRole('alert').count(), 0);
      });
    }

    it('an answer of another shape breaks its page and no other', async () => {
      const { context: other, tab: page } = await signIn(given().browser, target);
      for (const body of ['{"data":null}', '{"data":{}}', '[]', '{"data":[{}],"pagination":{"total":1}}']) {
        await other.route(/\/api\/v1\//, (route) => route.fulfill({ contentType: 'application/json', body }));
        for (const name of PAGES.filter((name) => !['api', 'settings'].includes(name))) {
          await page.evaluate((hash) => (location.hash = hash), `#/${name}${name.includes('?') ? '&' : '?'}range=7d&${encodeURIComponent(body)}`);
          await page.waitForFunction(() => document.querySelector('main .panel, main .state'));
          await settle(page);
          assert.ok((await page.locator('main').innerText()).length > 60, `${name} of ${body}`);
        }
        await other.unrouteAll();
        await visit(page, target, '#/speed?range=90d');
        assert.ok(await page.locator('table').count(), 'other days of the same page are shown again');
      }
      await visit(page, target, '#/forms');
      await page.locator('table').first().waitFor();
      await other.close();
    });

    it('429 counts down by Retry-After, and then goes on by itself', async () => {
      await visit(tab, target, '#/speed');
      await failWith({ ...error(429, 'rate_limited', 'Rate limit exceeded.'), headers: { 'Retry-After': '3', 'Content-Type': 'application/json' } });
      await visit(tab, target, '#/forms?range=90d');
      const alert = tab.getByRole('alert').first();
      assert.ok((await alert.innerText()).includes('Trying again in 3 seconds.'));
      await tab.getByText('Trying again in 1 second.').first().waitFor();
      await heal();
      await tab.locator('table').first().waitFor();
      assert.equal(await tab.getByRole('alert').count(), 0);
    });

    it('a failed change says why, and loses nothing that was typed', async () => {
      await visit(tab, target, '#/api');
      await context.route(/\/manage\/v1\/keys$/, (route) => route.fulfill(error(400, 'invalid_parameter', 'label is too long.')));
      const form = tab.getByRole('form', { name: 'Make a key' });
      await form.getByLabel('Label').fill('typed');
      await form.getByRole('button', { name: 'Make a key' }).click();
      await form.getByRole('alert').waitFor();
      assert.ok((await form.getByRole('alert').innerText()).includes('label is too long.'));
      assert.equal(await form.getByLabel('Label').inputValue(), 'typed');
      await heal();
      await visit(tab, target, '#/settings');
      await tab.getByRole('button', { name: 'New project' }).click();
      const project = tab.getByRole('form', { name: 'New project' });
      await project.getByLabel('Identifier').fill(target.project);
      await project.getByLabel('Name').fill('Twice');
      await project.getByRole('button', { name: 'Save' }).click();
      await project.getByRole('alert').waitFor();
      assert.equal(await project.getByLabel('Name').inputValue(), 'Twice');
    });

    it('401 says how to get in', async () => {
      await failWith(error(401, 'unauthorized', 'Missing or invalid API key'));
      await tab.evaluate(() => (location.hash = '#/forms?range=30d'));
      await tab.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      assert.ok((await tab.locator('main').innerText()).includes('identity invite'));
      await heal();
    });

    it('code that cannot be fetched is offered again', async () => {
      const { context: other, tab: page } = await signIn(given().browser, target);
      await other.route(/\/assets\/forms-/, (route) => route.abort());
      await page.evaluate(() => (location.hash = '#/forms'));
      await page.getByText('This page could not be loaded').waitFor();
      await other.unrouteAll();
      await page.getByRole('button', { name: 'Load again' }).click();
      await page.getByRole('heading', { name: 'Where forms are left' }).waitFor();
      await other.close();
    });
  });
