// Runs the scenarios: node tests/browser/run.mjs [--jobs N] [ID…]. With IDENTITY_BIN (a program) or IDENTITY_BASE_URL and
// IDENTITY_PUBLIC_KEY, IDENTITY_SECRET_KEY (a running one), all that is recorded is sent on, and the figures are compared.

import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { emulateVisibility, launch, newContext, open } from './browser.mjs';
import { lite } from './lite.mjs';
import { modes } from './modes.mjs';
import { scenarios } from './scenarios.mjs';
import { startSite } from './site.mjs';
import { startTarget } from './target.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { jobs: { type: 'string', default: '5' } } });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tells what is only noise around a scenario from what it is about. */
const AMBIENT = ['page_view', 'reading_behavior', 'web_vitals', 'seo_diagnostics', 'frustration_score'];

const target = await startTarget();
const browser = await launch();

/** What was sent in each session so far. */
const sentSoFar = (site) => {
  const sent = new Map();
  for (const { session, events } of site.batches()) {
    const all = sent.get(session.session_id) ?? [];
    all.push(...events);
    sent.set(session.session_id, all);
  }
  return sent;
};

/** What was sent, and what the API says of it, once all is counted. A page that is closed sends its last after that. */
const counted = async (site) => {
  for (let tries = 0; ; tries++) {
    const batches = site.batches().length;
    const sessions = [];
    for (const [session, events] of sentSoFar(site)) sessions.push({ session, events, found: await target.find(`/sessions/${session}`) });
    const isAll = sessions.every(({ events, found }) => found?.event_count === events.length);
    const isLast = site.batches().length === batches && !site.posts().some(({ isForwarding }) => isForwarding);
    if ((isAll && isLast) || tries === 40) return sessions;
    await sleep(250);
  }
};

/** What the API says of the visitors of a scenario must be what they sent. */
const compareFigures = async (site) => {
  const sessions = await counted(site);
  const refused = site.posts().filter(({ status, reply }) => reply && status !== 202);
  assert.deepEqual(refused.map(({ status, reply }) => [status, reply]), []);
  for (const { session, events, found } of sessions) {
    assert.equal(found?.event_count, events.length, `events of ${session}`);
    assert.equal(found.page_views, events.filter(({ name }) => name === 'page_view').length, JSON.stringify({ found, batches: site.batches() }));
    const names = (list) => list.map(({ name }) => name).sort();
    assert.deepEqual(names(found.events), names(events).slice(0, 500));
  }
};

const runOne = async (scenario) => {
  const site = await startSite(scenario.pages, { forward: target?.base, isLite: scenario.isLite });
  const context = await newContext(browser, typeof scenario.context === 'function' ? scenario.context() : scenario.context);
  if (scenario.visibility) await emulateVisibility(context, scenario.visibility);
  if (scenario.clock) await context.clock.install();
  const crashes = [];
  const t = {
    site,
    /** Whether the pages have the small script. */
    isLite: scenario.isLite,
    crashes,
    context,
    api: target?.ask,
    async open(path) {
      const tab = await context.newPage();
      await open(tab, site.origin + path);
      return tab;
    },
    /** Waits until what happened has arrived: the whole script sends a session's first page view after 3 s, the small one after 15. */
    async settle(tab) {
      if (scenario.isLite) await tab.evaluate(() => identity.flush());
      await sleep(scenario.isLite ? 300 : 3500);
    },
    /** Leaves a page for another site, and waits until all has arrived. */
    async leave(tab) {
      await tab.goto('about:blank').catch(() => {});
      let count = -1;
      while (count !== site.posts().length) {
        count = site.posts().length;
        await sleep(400);
      }
      await tab.close();
    },
    async back(tab, path) {
      await tab.evaluate(() => setTimeout(() => history.back(), 20));
      await tab.waitForURL(`**${path}`, { waitUntil: 'commit' });
      await sleep(400);
    },
    /** Lets time pass in all pages, with time for answers to arrive: those of the network come by the real clock. */
    async pass(_tab, ms) {
      for (let passed = 0; passed < ms; ) {
        const step = Math.min(passed < 45_000 ? 2500 : 60_000, ms - passed);
        await context.clock.runFor(step);
        await sleep(60);
        passed += step;
      }
    },
    async center(tab, selector) {
      const { x, y, width, height } = await tab.locator(selector).boundingBox();
      return [x + width / 2, y + height / 2];
    },
    async corner(tab, selector) {
      const { x, y } = await tab.locator(selector).boundingBox();
      return [x + 9, y + 9];
    },
    async press(tab, selector, ms) {
      await tab.mouse.move(...(await t.center(tab, selector)));
      await tab.mouse.down();
      await sleep(ms);
      await tab.mouse.up();
    },
    async hammer(tab, selector, count, every) {
      const [x, y] = await t.center(tab, selector);
      await tab.mouse.move(x, y);
      for (let n = 0; n < count; n++) {
        await tab.mouse.down();
        await tab.mouse.up();
        await sleep(every);
      }
    },
    expect(counts) {
      const found = {};
      for (const { name } of site.events()) if (!AMBIENT.includes(name)) found[name] = (found[name] ?? 0) + 1;
      assert.deepEqual(found, counts);
    },
    expectViews(urls) {
      const views = site.events('page_view').sort((a, b) => a.created_at - b.created_at);
      assert.deepEqual(views.map(({ data }) => data.url), urls);
      return views;
    },
    frustration: (rows) => (rows.data ?? rows.visitors ?? rows).find?.(({ visitor_id }) => visitor_id === site.batches()[0].visitor.visitor_id),
  };
  context.on('page', (tab) => tab.on('crash', () => crashes.push('the page crashed')));
  const started = Date.now();
  try {
    let alarm;
    const late = new Promise((_, reject) => {
      alarm = setTimeout(() => reject(new Error('It takes too long')), 120_000);
    });
    await Promise.race([scenario.run(t), late]);
    clearTimeout(alarm);
    assert.deepEqual(crashes, []);
    for (const { status, batch } of site.posts()) assert.notEqual(status, 400, JSON.stringify(batch));
    if (target) await compareFigures(site);
    return { scenario, ms: Date.now() - started };
  } catch (error) {
    return { scenario, ms: Date.now() - started, error, events: site.events().map(({ name, data }) => `${name} ${JSON.stringify(data)}`) };
  } finally {
    await Promise.race([context.close().catch(() => {}), sleep(5000)]);
    await site.close();
  }
};

/** Those of both scripts are run with each. */
const all = [...scenarios, ...modes, ...lite].flatMap((scenario) => (scenario.isForBoth ? [scenario, { ...scenario, id: `${scenario.id} lite`, isLite: true }] : [scenario]));
const wanted = all.filter(({ id }) => !positionals.length || positionals.some((given) => String(id) === given || String(id).replace(/\D.*/, '') === given));
const say = (result, attempt) => {
  const { scenario, error, ms, events } = result;
  console.log(`${error ? 'FAILED' : 'passed'}  ${String(scenario.id).padEnd(12)} ${scenario.name} (${(ms / 1000).toFixed(1)} s${attempt})`);
  if (error) console.log(`${error.stack ?? error}\n  events:\n    ${events.join('\n    ')}\n`);
};
const queue = [...wanted];
const results = [];
const worker = async () => {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const result = await runOne(next);
    results.push(result);
    if (!result.error) say(result, '');
  }
};
await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
// Clicks within a second are not within one on a machine that does five things at once: what failed is tried alone.
for (const [index, { scenario, error }] of results.entries()) {
  if (!error) continue;
  results[index] = await runOne(scenario);
  say(results[index], ', alone');
}
await browser.close();
target?.stop();
const failed = results.filter(({ error }) => error);
console.log(`${results.length - failed.length} of ${results.length} scenarios passed${target ? `, against ${target.base}` : ''}`);
process.exit(failed.length ? 1 : 0);
