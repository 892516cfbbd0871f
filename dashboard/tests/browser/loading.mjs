// What it costs to open the page.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { newContext, signIn } from './browser.mjs';
import { measureOpening, median } from './measure.mjs';
import { watch } from './watch.mjs';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const MOST_REQUESTS = 8;
const MOST_BYTES = 60_000;
const ROUNDS = 3;

export const loading = (given) =>
  describe('opening the page', () => {
    let target;
    let browser;
    before(() => {
      ({ target, browser } = given());
    });

    it('the Overview asks the API for each thing once, and nothing moves after the first paint', async () => {
      const { context } = await signIn(browser, target);
      const state = await context.storageState();
      await context.close();
      const times = [];
      for (let round = 0; round < ROUNDS; round++) {
        const watched = [];
        const { milliseconds, shifts, bytes, requests, asked } = await measureOpening(browser, target, state, (page) => watched.push(watch(page, target)));
        times.push(milliseconds);
        assert.deepEqual(shifts, []);
        assert.ok(asked.length <= MOST_REQUESTS, asked.join('\n'));
        assert.equal(new Set(asked).size, asked.length, asked.join('\n'));
        assert.ok(bytes.page <= MOST_BYTES + requests.length * 600, `${bytes.page} bytes with headers`);
        for (const { assertQuiet } of watched) assertQuiet();
        if (!round) console.log(`      ${asked.length} requests to the API, ${requests.length} in all, ${bytes.page} bytes of page with headers`);
      }
      console.log(`      all figures after ${Math.round(median(times))} ms (median of ${ROUNDS}, no cache)`);
    });

    it('figures are asked for all at once, and those of the first visit as soon as it is known who comes', async () => {
      const { context } = await signIn(browser, target, { label: 'first visit' });
      const { cookies } = await context.storageState();
      await context.close();
      const asked = [];
      let isFirst = true;
      await measureOpening(browser, target, { cookies, origins: [] }, (page) => {
        const of = (happening) => {
          const { pathname } = new URL(happening.url());
          return /^\/(api|manage)\//.test(pathname) ? pathname : undefined;
        };
        page.on('request', (request) => of(request) && isFirst && asked.push(of(request)));
        page.on('response', (response) => (isFirst &&= !of(response)?.startsWith('/api/')));
      });
      assert.equal(asked[0], '/manage/v1/me');
      assert.equal(asked.length, 8, `before the first figures came: ${asked}`);
    });

    it('all is served by the page’s own origin, with its policy, and kept for good', async () => {
      const context = await newContext(browser);
      const page = await context.newPage();
      const responses = [];
      page.on('response', (response) => responses.push(response));
      const { problems } = watch(page, target, { mayFail: true });
      await page.goto(`${target.origin}/`);
      await page.locator('main.alone').waitFor();
      const root = responses.find((response) => new URL(response.url()).pathname === '/');
      const headers = root.headers();
      assert.equal(headers['content-security-policy'], POLICY);
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.ok(headers['permissions-policy']);
      const assets = responses.filter((response) => response.url().includes('/assets/'));
      assert.ok(assets.length > 3);
      for (const asset of assets) {
        assert.match(new URL(asset.url()).pathname, /^\/assets\/[a-z0-9-]+-[A-Z0-9]{8}\.(js|css|svg)$/);
        assert.match(asset.headers()['cache-control'], /immutable/);
      }
      assert.deepEqual(problems, []);
      await context.close();
    });
  });
