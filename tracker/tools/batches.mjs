// Counts the batches of scripted visits: node tools/batches.mjs [--out FILE]. With --out all batches are written as JSON
// lines, in the form that `identity import` reads.

import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { launch, newContext } from '../tests/browser/browser.mjs';
import { page, startSite } from '../tests/browser/site.mjs';

const { values } = parseArgs({ options: { out: { type: 'string' } } });
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

const browser = await launch();
if (values.out) writeFileSync(values.out, '');
const rows = [];
for (const count of [1, 3, 10]) {
  for (const [pace, seconds] of Object.entries(PACES)) {
    const site = await startSite(pages);
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
    const sent = site.posts();
    const views = site.events('page_view').length;
    const bytes = sent.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    rows.push({ count, pace, seconds, views, batches: sent.length, ratio: sent.length / count, events: site.events().length, bytes: Math.round(bytes / sent.length) });
    if (values.out) {
      for (const { batch } of sent) {
        const { key, ...line } = batch;
        line.visitor = { ...line.visitor, browser_name: 'Chrome', os: 'Linux', mobile: 0 };
        appendFileSync(values.out, `${JSON.stringify(line)}\n`);
      }
    }
    await context.close();
    await site.close();
  }
}
await browser.close();
console.log('pages  pace       seconds each  batches  a page view  events  bytes a batch');
let isOver = false;
for (const { count, pace, seconds, views, batches, ratio, events, bytes } of rows) {
  console.log(`${String(count).padStart(5)}  ${pace.padEnd(9)}  ${String(seconds).padStart(12)}  ${String(batches).padStart(7)}  ${ratio.toFixed(2).padStart(11)}  ${String(events).padStart(6)}  ${String(bytes).padStart(13)}`);
  if (views !== count) console.error(`${views} page views of ${count} arrived`);
  if (views !== count || (count >= 3 && ratio > 1.34)) isOver = true;
}
if (isOver) {
  console.error('A visit of three pages or more must need at most 1.34 batches a page view');
  process.exitCode = 1;
}
