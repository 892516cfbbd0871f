// All that the page shows was sent by strangers: every text of every answer is replaced by what an attacker would send.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { PAGES, settle, signIn, visit } from './browser.mjs';
import { CORPUS, inspect } from './corpus.mjs';
import { watch } from './watch.mjs';

/** What decides how a row is read stays: else nothing of it would be shown. */
const KEPT = new Set(['name', 'role', 'kind', 'date', 'start_date', 'end_date']);
const KEPT_AT_LAST = new Set(['role', 'kind']);

const poison = (value, next, key, kept) => {
  if (typeof value === 'string') return kept.has(key) ? value : next();
  if (Array.isArray(value)) return value.map((item) => poison(item, next, key, kept));
  if (value && typeof value === 'object') {
    // Properties of an event's data are a stranger's, too.
    const entries = Object.entries(value).map(([name, item]) => [name, poison(item, next, name, kept)]);
    return Object.fromEntries(key === 'data' && !Array.isArray(value.sessions) && 'url' in value ? [...entries, [next(), next()]] : entries);
  }
  return value;
};

export const hostile = (given) =>
  describe('hostile data is text', () => {
    let context;
    let tab;
    let target;
    let watched;
    let turn = 0;
    let kept = KEPT;
    before(async () => {
      target = given().target;
      ({ context, tab } = await signIn(given().browser, target));
      const { data } = await target.ask('sessions?limit=1');
      ids = { session: data[0].session_id, visitor: data[0].visitor_id };
      await tab.evaluate(() => {
        window.alert = () => console.error('a script ran');
      });
      watched = watch(tab, target);
      await context.route(/\/(api|manage)\/v1\//, async (route) => {
        if (new URL(route.request().url()).pathname === '/manage/v1/me') return route.continue();
        const response = await route.fetch();
        const body = await response.json();
        await route.fulfill({ response, json: poison(body, () => CORPUS[turn++ % CORPUS.length], '', kept) });
      });
    });
    let ids;

    for (let round = 0; round < 3; round++) {
      it(`on every page, round ${round + 1}`, async () => {
        if (round === 2) kept = KEPT_AT_LAST;
        const pages = [
          ...PAGES,
          `sessions/${ids.session}`,
          `visitors/${ids.visitor}`,
          'frustration?type=js_exception&at=%3Cimg%20src%3Dx%3E',
          `frustration?type=rage_click&at=${encodeURIComponent(CORPUS[1])}&url=javascript:alert(1)`,
        ];
        for (const page of pages) {
          turn += 7 + round;
          await visit(tab, target, `#/${page}`);
          for (const button of await tab.locator('button.more').all()) if (await button.isVisible()) await button.click();
          const [summary] = await tab.locator('.event-data summary').all();
          if (round === 0) await summary?.click();
          assert.deepEqual(await inspect(tab), [], page);
          const text = await tab.locator('main').innerText();
          assert.ok(text.length > 50, page);
        }
        watched.assertQuiet();
      });
    }

    it('in the address as well', async () => {
      const opened = await context.newPage();
      const { assertQuiet } = watch(opened, target, { mayFail: true });
      for (const text of CORPUS) {
        for (const page of [
          `visitors/${encodeURIComponent(text)}?${new URLSearchParams({ range: text, from: text, page: text, search: text, project: text })}`,
          `${encodeURIComponent(text)}?${new URLSearchParams({ project: target.project, url: text })}`,
        ]) {
          await visit(opened, target, `#/${page}`);
          assert.deepEqual(await inspect(opened), [], page);
        }
      }
      assertQuiet();
      await opened.close();
    });

    it('texts that are shown are those that were sent, to the letter', async () => {
      await tab.unrouteAll();
      await context.unrouteAll();
      const text = CORPUS[1];
      await context.route(/\/api\/v1\/pages/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { data: { top_pages: CORPUS.map((url, views) => ({ url, views: 1000 - views, unique_visitors: 1 })), avg_pages_per_session: 1 } } });
      });
      await visit(tab, target, '#/pages?range=7d');
      await tab.locator('button.more').click();
      const shown = await tab.locator('tbody .site-url > .clip').evaluateAll((cells) => cells.map(({ textContent }) => textContent));
      assert.deepEqual(shown, CORPUS);
      assert.ok(shown.includes(text));
      const opened = await tab.locator('tbody a.open').evaluateAll((links) => links.map(({ href }) => href));
      assert.ok(opened.length && opened.every((href) => /^https?:/.test(href)));
      const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name: 'Save Views as CSV' }).click()]);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      const lines = Buffer.concat(chunks).toString().split('\r\n');
      assert.ok(
        lines.some((line) => line.startsWith(`"'=HYPERLINK`)),
        'a formula is no formula in a spreadsheet',
      );
      assert.ok(lines.every((line) => !/^[=+\-@]/.test(line)));
      await context.unrouteAll();
      await settle(tab);
      watched.assertQuiet();
      await context.close();
    });
  });
