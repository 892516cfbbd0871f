// What it costs to open the page.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { newContext, settle, signIn } from './browser.mjs';
import { watch } from './watch.mjs';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const MOST_REQUESTS = 8;
const MOST_BYTES = 60_000;
const ROUNDS = 5;

export const loading = (given) =>
  describe('opening the page', () => {
    let target;
    let browser;
    before(() => {
      ({ target, browser } = given());
    });

    it('the Overview asks the API for each thing once, and nothing moves after the first paint', async () => {
      const { context, tab } = await signIn(browser, target);
      const times = [];
      for (let round = 0; round < ROUNDS; round++) {
        const page = await context.newPage();
        const client = await context.newCDPSession(page);
        await client.send('Network.enable');
        await client.send('Network.setCacheDisabled', { cacheDisabled: true });
        let bytes = 0;
        const sizes = new Map();
        client.on('Network.responseReceived', ({ requestId, response }) => sizes.set(requestId, response.url));
        client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
          if (!/\/(api|manage)\//.test(sizes.get(requestId) ?? '')) bytes += encodedDataLength;
        });
        const { requests, assertQuiet } = watch(page, target);
        await page.addInitScript(() => {
          window.shifts = [];
          new PerformanceObserver((list) =>
            window.shifts.push(...list.getEntries().map(({ value, sources }) => `${value} ${sources.map(({ node }) => node?.className ?? node?.nodeName)}`)),
          ).observe({ type: 'layout-shift', buffered: true });
        });
        const start = Date.now();
        await page.goto(`${target.origin}/`);
        await page.waitForFunction(
          () =>
            document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1 &&
            document.querySelector('.short-list table') &&
            !document.querySelector('.loading, [aria-busy=true]'),
          undefined,
          { polling: 'raf' },
        );
        times.push(Date.now() - start);
        await settle(page);
        await page.waitForTimeout(200);
        assert.deepEqual(await page.evaluate(() => window.shifts), []);
        const asked = requests.map((request) => request.url()).filter((url) => url.includes('/api/v1/'));
        assert.ok(asked.length <= MOST_REQUESTS, asked.join('\n'));
        assert.equal(new Set(asked).size, asked.length, asked.join('\n'));
        assert.ok(bytes <= MOST_BYTES + requests.length * 600, `${bytes} bytes with headers`);
        assertQuiet();
        if (!round) console.log(`      ${asked.length} requests to the API, ${requests.length} in all, ${bytes} bytes of page with headers`);
        await page.close();
      }
      console.log(`      all figures after ${times.sort((a, b) => a - b)[ROUNDS >> 1]} ms (median of ${ROUNDS}, no cache)`);
      await tab.close();
      await context.close();
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
