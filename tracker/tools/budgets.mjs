// Prints what the tracker costs a page, and fails where that is more than a bound: node tools/budgets.mjs.
//
// Times are the processor's time of the page's own thread, which other programs do not add to; but they slow it down. So each
// time is taken often and printed as its lower quartile and its median, and the quartile is held to the bound.

import { loadavg } from 'node:os';
import { launch, newContext } from '../tests/browser/browser.mjs';
import { page, startSite } from '../tests/browser/site.mjs';

const LOADS = 15;
const CLICKS = 24;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) * share)];
const load = () => loadavg()[0].toFixed(1);

const rows = `<ul>${Array.from({ length: 3000 }, (_, n) => `<li class="row"><a href="#r${n}" class="link">Row ${n}</a><span>text</span></li>`).join('')}</ul>`;
const pages = {
  '/': page(`<button id="dull" type="button">dull</button>${rows}`),
  '/small': page('<h1>small</h1><a id="go" href="/small">again</a>'),
  '/bare': `<!doctype html><title>bare</title><link rel="icon" href="data:,"><button id="dull" type="button">dull</button>${rows}`,
};
const site = await startSite(pages);
const browser = await launch();
const problems = [];
const say = (what, value, budget, bound) => {
  console.log(`${what.padEnd(66)}${String(value).padStart(14)}   ${budget}`);
  if (bound !== undefined && !(value <= bound)) problems.push(what);
};
/** Prints the lower quartile and the median of times in ms; fails where the quartile is over the bound. */
const sayTimes = (what, times, budget, bound) => {
  const low = quantile(times, 0.25);
  say(`${what}, ms`, `${low.toFixed(2)}, ${quantile(times, 0.5).toFixed(2)}`, budget);
  if (!(low <= bound)) problems.push(what);
};
console.log(`Load of the machine: ${load()}. Times are lower quartiles and medians.\n${''.padEnd(66)}${'is'.padStart(14)}   is meant to be`);

// The script as sites have it: from its server, which lets the browser read it beside the page's thread, and each time in a new process,
// which has never run any script.
const evaluations = [];
const beside = [];
for (let n = 0; n < LOADS; n++) {
  const context = await newContext(browser);
  const tab = await context.newPage();
  await browser.startTracing(tab, { categories: ['devtools.timeline'] });
  await tab.goto(`${site.origin}/`);
  await sleep(100);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const timeOf = (name) =>
    traceEvents.filter(({ name: is, args, tdur }) => is === name && tdur && args.data?.url === `${site.collector}/identity.js`).reduce((sum, { tdur }) => sum + tdur / 1000, 0);
  if (!timeOf('EvaluateScript')) throw new Error('The browser says nothing of the script');
  evaluations.push(timeOf('EvaluateScript'));
  beside.push(timeOf('v8.parseOnBackground'));
  await context.close();
}
sayTimes('evaluation and start of the first script, 9,000 nodes', evaluations, '< 5', 5);
sayTimes('  before it, to read it, on another thread', beside, '', Infinity);

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

/** Counts the time that scripts have taken; what they make the browser lay out it counts apart, as that is due all the same. */
const meter = async (on) => {
  const client = await on.context().newCDPSession(on);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await client.send('Performance.getMetrics');
    const of = (name) => metrics.find((metric) => metric.name === name).value * 1000;
    return { script: of('ScriptDuration'), layout: of('RecalcStyleDuration') + of('LayoutDuration') };
  };
};

/** What clicks cost, one by one: what keeps the page from answering them, and on average what follows until they are judged. */
const timeClicks = async (on) => {
  const read = await meter(on);
  await on.locator('#dull').hover();
  const click = async () => {
    const before = await read();
    await on.mouse.down();
    await on.mouse.up();
    await sleep(30);
    const after = await read();
    // Each is one by itself.
    await sleep(1200);
    return after.script - before.script;
  };
  // What is run for the first time has to be made ready.
  for (let n = 0; n < 3; n++) await click();
  await sleep(3500);
  const start = await read();
  const handlers = [];
  for (let n = 0; n < CLICKS; n++) handlers.push(await click());
  await sleep(3500);
  const end = await read();
  const sum = handlers.reduce((sum, time) => sum + time, 0);
  return { handlers, later: (end.script - start.script - sum) / CLICKS, layout: (end.layout - start.layout) / CLICKS };
};
const bare = await context.newPage();
await bare.goto(`${site.origin}/bare`);
await sleep(500);
const without = await timeClicks(bare);
await bare.close();
// The protocol that drives the browser has a share of its own in both.
const harness = quantile(without.handlers, 0.5);
const clicks = await timeClicks(tab);
sayTimes('handlers of a click, 9,000 nodes', clicks.handlers.map((time) => time - harness), '< 0.2', 0.3);
say('  after them, until it is judged, mean ms', (clicks.later - without.later).toFixed(2), '');
say('  more to lay out than without, mean ms', (clicks.layout - without.layout).toFixed(2), '0', 0.1);
say('long tasks meanwhile', await tab.evaluate(() => long.length), '0', 5);

const client = await context.newCDPSession(tab);
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
for (const line of logged) console.error(line);
await browser.close();
await site.close();
if (problems.length) {
  console.error(`Over the bound: ${problems.join(', ')}`);
  process.exitCode = 1;
}
