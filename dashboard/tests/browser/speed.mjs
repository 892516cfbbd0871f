// Measures how long a browser takes to show the Overview of a site with much data: npm run speed [-- --events N] [--rounds N]

import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { launch, signIn } from './browser.mjs';
import { measureOpening, median } from './measure.mjs';
import { startTarget } from './target.mjs';
import { siteOf } from './traffic.mjs';

/** Lines that are imported at a time. */
const PART = 2000;

const { values } = parseArgs({ options: { events: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '9' } } });
const target = await startTarget({ isEmpty: true });
const began = Date.now();
const lines = siteOf(Number(values.events));
// An import waits until its lines are counted, but not for ever: an unoptimized build counts some hundred a second.
for (let first = 0; first < lines.length; first += PART) await target.importLines(lines.slice(first, first + PART));
const counted = (await target.ask('stats')).data.total_events;
console.log(`${counted} events of 30 days, imported and counted in ${Math.round((Date.now() - began) / 1000)} s`);

const browser = await launch();
const { context } = await signIn(browser, target);
const kept = await context.storageState();
await context.close();
for (const [visit, state] of Object.entries({ 'a later visit': kept, 'the first visit': { ...kept, origins: [] } })) {
  const rounds = [];
  while (rounds.length < Number(values.rounds)) rounds.push(await measureOpening(browser, target, state));
  const of = (read) => median(rounds.map(read));
  const shift = Math.max(...rounds.map(({ shifts }) => shifts.reduce((sum, [value]) => sum + value, 0)));
  console.log(
    `${visit}, without a cache: all figures after ${Math.round(of(({ milliseconds }) => milliseconds))} ms ` +
      `(median of ${rounds.length}, ${rounds.map(({ milliseconds }) => Math.round(milliseconds)).sort((a, b) => a - b)}), ` +
      `${of(({ asked }) => asked.length)} requests to the API of ${of(({ requests }) => requests.length)}, layout shift ${shift}, ` +
      `${of(({ bytes }) => bytes.page)} bytes of page and ${of(({ bytes }) => bytes.answers)} of answers, with headers`,
  );
}
console.log(`load ${loadavg()[0].toFixed(1)} on ${availableParallelism()} cores`);
await browser.close();
target.stop();
