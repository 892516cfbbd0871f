// Writes what scripted visits send, as JSON lines: node tools/visits.mjs --out FILE. A line is a request: of which visit, of how many
// pages that is, how many milliseconds after the visit's start it was sent, by the page's clock, and its body, byte for byte.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { launch } from '../tests/browser/browser.mjs';
import { walk } from './walk.mjs';

const { values } = parseArgs({ options: { out: { type: 'string' } } });
if (!values.out) {
  console.error('Usage: node tools/visits.mjs --out FILE');
  process.exit(2);
}

const browser = await launch();
const lines = [];
for await (const { count, pace, site } of walk(browser)) {
  const sent = site.posts();
  const views = site.events('page_view').length;
  if (views !== count) throw new Error(`${views} page views of ${count} arrived`);
  for (const { text, batch } of sent) {
    const about = { visit: `${count} ${pace}`, pages: count, at: batch.sent_at - sent[0].batch.session.started_at };
    lines.push(`${JSON.stringify(about).slice(0, -1)},"body":${text}}\n`);
  }
}
await browser.close();
// Only whole: a file of some of the visits would be taken for all.
writeFileSync(values.out, lines.join(''));
console.log(`${lines.length} requests`);
