// Prints what the tracker costs a page: node tools/budgets.mjs. Fails only far beyond the budgets, as clocks of busy machines
// say little.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, newContext } from '../tests/browser/browser.mjs';
import { page, startSite } from '../tests/browser/site.mjs';
import { root } from './bundle.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

const rows = `<ul>${Array.from({ length: 3000 }, (_, n) => `<li class="row"><a href="#r${n}" class="link">Row ${n}</a><span>text</span></li>`).join('')}</ul>`;
const pages = {
  '/': page(`<button id="dull" type="button">dull</button>${rows}`),
  '/small': page('<h1>small</h1><a id="go" href="/small">again</a>'),
  '/bare': `<!doctype html><title>bare</title><button id="dull" type="button">dull</button>${rows}`,
};
const site = await startSite(pages);
const browser = await launch();
const problems = [];
const say = (what, value, budget, limit) => {
  console.log(`${what.padEnd(58)}${String(value).padStart(12)}   ${budget}`);
  if (limit !== undefined && !(value <= limit)) problems.push(what);
};

/** Counts the processor's time of the page's thread, which other programs do not add to. */
const meter = async (tab) => {
  const client = await tab.context().newCDPSession(tab);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async (name) => {
    const { metrics } = await client.send('Performance.getMetrics');
    return metrics.find((metric) => metric.name === name).value * 1000;
  };
};

const script = readFileSync(join(root, 'dist/identity.js'), 'utf8');
const evaluations = [];
for (let n = 0; n < 7; n++) {
  const context = await newContext(browser);
  const tab = await context.newPage();
  await tab.goto(`${site.origin}/bare`);
  const read = await meter(tab);
  const insert = (script) =>
    tab.evaluate(
      ({ script, collector }) => {
        const tag = document.createElement('script');
        tag.dataset.key = `pk_live_${'0'.repeat(32)}`;
        tag.dataset.endpoint = `${collector}/collect`;
        tag.textContent = script;
        document.head.append(tag);
      },
      { script, collector: site.collector },
    );
  // The same text as a comment: what it takes to bring it here.
  const comment = `//${script.trim()}`;
  await insert(comment);
  const start = await read('ScriptDuration');
  await insert(comment);
  const empty = (await read('ScriptDuration')) - start;
  const again = await read('ScriptDuration');
  await insert(script);
  evaluations.push((await read('ScriptDuration')) - again - empty);
  await context.close();
}
say('evaluation and start of the first, 9,000 nodes, median ms', median(evaluations).toFixed(2), '< 5', 50);

const context = await newContext(browser);
const tab = await context.newPage();
const logged = [];
tab.on('console', (message) => logged.push(message.text()));
const globals = () => tab.evaluate(() => Object.getOwnPropertyNames(window).filter((name) => !/^\d+$/.test(name)));
await tab.goto(`${site.origin}/bare`);
const before = await globals();
await tab.goto(`${site.origin}/`);
await tab.waitForFunction(() => window.identity?.version);
const added = (await globals()).filter((name) => !before.includes(name));
say('globals added', added.join() || 'none', 'identity');
if (added.join() !== 'identity') problems.push('globals');
await tab.evaluate(() => {
  window.long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
});
await sleep(1500);

const client = await context.newCDPSession(tab);
const CLICKS = 60;

/** The mean time of all that a click sets off in a page. */
const timeClicks = async (on) => {
  const read = await meter(on);
  const { x, y, width, height } = await on.locator('#dull').boundingBox();
  const start = await read('TaskDuration');
  for (let n = 0; n < CLICKS; n++) {
    await on.mouse.click(x + width / 2, y + height / 2);
    await sleep(30);
  }
  return ((await read('TaskDuration')) - start) / CLICKS;
};
const bare = await context.newPage();
await bare.goto(`${site.origin}/bare`);
await sleep(500);
const without = await timeClicks(bare);
await bare.close();
const more = (await timeClicks(tab)) - without;
say('a click more than without, 9,000 nodes, mean ms', more.toFixed(3), '< 0.2', 4);
say('long tasks meanwhile', (await tab.evaluate(() => long.length)), '0', 5);

await client.send('HeapProfiler.enable');
const heap = async () => {
  for (let n = 0; n < 3; n++) await client.send('HeapProfiler.collectGarbage');
  return (await client.send('Runtime.getHeapUsage')).usedSize / 1024;
};
const walk = (from, to) =>
  tab.evaluate(
    async ([from, to]) => {
      for (let n = from; n < to; n++) {
        history.pushState(null, '', `/route/${n % 20}`);
        document.querySelector('ul').innerHTML = `<li>${n}</li>`.repeat(50);
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
      await identity.flush();
    },
    [from, to],
  );
await walk(0, 100);
await sleep(1500);
const first = await heap();
await walk(100, 300);
await sleep(1500);
const last = await heap();
say('heap after 200 more routes, KiB more', Math.round(last - first), 'flat', 500);

await tab.goto(`${site.origin}/small`);
await sleep(500);
await tab.evaluate(() => addEventListener('pageshow', ({ persisted }) => (window.isPersisted = persisted)));
await tab.goto(`${site.origin}/bare`);
await tab.evaluate(() => setTimeout(() => history.back(), 20));
await tab.waitForURL('**/small', { waitUntil: 'commit' });
await sleep(500);
const isKept = await tab.evaluate(() => window.isPersisted === true);
say('kept in the back/forward cache', isKept ? 'yes' : 'no', 'yes');
if (!isKept) problems.push('back/forward cache');
say('lines in the console', logged.length, '0', 0);
await browser.close();
await site.close();
if (problems.length) {
  console.error(`Far beyond the budget: ${problems.join(', ')}`);
  process.exitCode = 1;
}
