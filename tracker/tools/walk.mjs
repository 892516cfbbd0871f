// Visits that are scripted, second by second of a clock that is made to run, each to a site of its own that records what it is sent.

import { newContext } from '../tests/browser/browser.mjs';
import { page, startSite } from '../tests/browser/site.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const paragraph = 'Some words that somebody may want to read, and then some more of them. ';
const pages = Object.fromEntries(
  Array.from({ length: 10 }, (_, n) => [
    `/${n}`,
    page(`<h1>Page ${n}</h1><p>${paragraph.repeat(60)}</p><p>${paragraph.repeat(60)}</p><a id="go" href="/${n + 1}">next</a>`, { title: `Page ${n} of a site`, attributes: 'data-local' }),
  ]),
);

/** Seconds on each page. */
const PACES = { quick: 2, middling: 8, slow: 25 };

/** Makes the visits one after the other: of 1, 3 and 10 pages at each pace. Gives each one's site, which has recorded it. `isLite`: with the small script. */
export const walk = async function* (browser, isLite) {
  for (const count of [1, 3, 10]) {
    for (const [pace, seconds] of Object.entries(PACES)) {
      const site = await startSite(pages, { isLite });
      const context = await newContext(browser);
      await context.clock.install();
      const tab = await context.newPage();
      for (let n = 0; n < count; n++) {
        if (n === 0) await tab.goto(`${site.origin}/0`);
        else await tab.evaluate(() => document.getElementById('go').click());
        await tab.waitForURL(`**/${n}`);
        await tab.waitForFunction(() => window.identity?.version, undefined, { polling: 20 });
        for (let passed = 0; passed < seconds; passed++) {
          await context.clock.runFor(1000);
          if (passed % 3 === 1) await tab.mouse.wheel(0, 200);
          await sleep(15);
        }
        await sleep(60);
      }
      await tab.goto('about:blank');
      await sleep(500);
      yield { count, pace, seconds, site };
      await context.close();
      await site.close();
    }
  }
};
