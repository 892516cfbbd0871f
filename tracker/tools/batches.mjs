// Counts the batches of scripted visits: node tools/batches.mjs [--lite] [--out FILE]. With --lite the pages have the small script;
// with --out all batches are written as JSON lines, in the form that `identity import` reads.

import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { launch } from '../tests/browser/browser.mjs';
import { walk } from './walk.mjs';

const { values } = parseArgs({ options: { lite: { type: 'boolean' }, out: { type: 'string' } } });

const browser = await launch();
if (values.out) writeFileSync(values.out, '');
const rows = [];
for await (const { count, pace, seconds, site } of walk(browser, values.lite)) {
  const sent = site.posts();
  const views = site.events('page_view').length;
  const bytes = sent.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  rows.push({ count, pace, seconds, views, batches: sent.length, ratio: sent.length / count, events: site.events().length, bytes: Math.round(bytes / sent.length) });
  if (!values.out) continue;
  for (const { batch } of sent) {
    const { key, ...line } = batch;
    line.visitor = { ...line.visitor, browser_name: 'Chrome', os: 'Linux', mobile: 0 };
    appendFileSync(values.out, `${JSON.stringify(line)}\n`);
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
