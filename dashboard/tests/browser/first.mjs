// The first minute: a project without data, until its first event.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { settle, signIn } from './browser.mjs';
import { startTarget } from './target.mjs';
import { watch } from './watch.mjs';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

export const first = (given) =>
  describe('the first minute', () => {
    let target;
    before(async () => {
      target = await startTarget({ isEmpty: true });
    });
    after(() => target?.stop());

    it('the Overview shows the line for the site, waits for the first event, and says when it has come', async () => {
      const { browser } = given();
      const { context, tab } = await signIn(browser, target);
      const { assertQuiet } = watch(tab, target);
      await tab.getByRole('heading', { name: 'Put this into your site' }).waitFor();
      const line = tab.getByLabel('Send data', { exact: true });
      assert.ok((await line.innerText()).includes(`src="${target.origin}/identity.js" data-key="pk_live_…"`));
      await tab.getByText('Waiting for the first event.').waitFor();
      assert.equal(await tab.locator('.grid').count(), 0);
      await tab.getByRole('button', { name: 'Complete it with a new public key' }).click();
      await tab.waitForFunction(() => /data-key="pk_live_\w{32}"/.test(document.querySelector('.code').innerText));
      const [key] = (await line.innerText()).match(/pk_live_\w+/);
      const demo = tab.getByRole('link', { name: 'the demo site' });
      assert.equal((await context.request.get(await demo.evaluate(({ href }) => href))).status(), 200);

      const viewer = await signIn(browser, target, { label: 'vera', role: 'viewer' });
      await viewer.tab.getByText('Waiting for the first event.').waitFor();
      assert.equal(await viewer.tab.locator('.code').count(), 0);
      await viewer.context.close();

      const now = Date.now();
      const batch = { batch_id: 'b_first', sent_at: now, page: '/', visitor: { visitor_id: 'v_first' }, session: { session_id: 'ses_first', started_at: now, url: '/first' } };
      await target.collect({ ...batch, key, events: [{ name: 'page_view', url: '/first', created_at: now, data: { url: '/first' } }] }, FIREFOX);
      await tab.getByRole('heading', { name: 'The first event has come' }).waitFor();
      await tab.waitForFunction(() => document.querySelector('[data-figure=total_page_views] .figure-value').innerText === '1');
      await tab.locator('.short-list').getByText('/first').first().waitFor();
      await settle(tab);
      assert.equal(await demo.count(), 1);
      await tab.reload();
      await settle(tab);
      assert.equal(await tab.getByText('The first event has come').count(), 0);
      await tab.getByRole('link', { name: '7 days' }).click();
      await settle(tab);
      assertQuiet();
      await context.close();
    });
  });
