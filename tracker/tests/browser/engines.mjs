// A visit in Firefox and in WebKitGTK, each driven by what it has itself: node --experimental-websocket tests/browser/engines.mjs
// [firefox] [webkit]. With IDENTITY_BIN every batch is passed on to `identity dev`, whose figures must be what was done.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { page, startSite } from './site.mjs';
import { startTarget } from './target.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends a program and waits until it has. */
const end = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.on('exit', resolve);
    child.kill();
  });

/** Firefox, by WebDriver BiDi, which it speaks without a driver. */
const firefox = async () => {
  const profile = mkdtempSync(join(tmpdir(), 'tracker-firefox-'));
  const child = spawn(process.env.FIREFOX ?? 'firefox-esr', ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const address = await new Promise((resolve, reject) => {
    let said = '';
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`Firefox ended: ${said}`)));
    child.stderr.on('data', (data) => {
      said += data;
      const found = /BiDi listening on (ws:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
  });
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, type, result, error, message } = JSON.parse(data);
    const { resolve, reject } = waiting.get(id) ?? {};
    if (type === 'error') reject?.(new Error(`${error}: ${message}`));
    else resolve?.(result);
  };
  const ask = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  const { capabilities } = await ask('session.new', { capabilities: {} });
  const { contexts } = await ask('browsingContext.getTree', {});
  const { context } = contexts[0];
  return {
    name: `Firefox ${capabilities.browserVersion}`,
    goTo: (url) => ask('browsingContext.navigate', { context, url, wait: 'complete' }),
    reload: () => ask('browsingContext.reload', { context, wait: 'complete' }),
    evaluate: async (expression) => (await ask('script.evaluate', { expression, target: { context }, awaitPromise: true })).result.value,
    click: (x, y) => ask('input.performActions', { context, actions: [pointer(x, y)] }),
    async close() {
      await ask('browser.close', {}).catch(() => {});
      await end(child);
      rmSync(profile, { recursive: true, force: true });
    },
  };
};

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** WebKitGTK, by its own driver. It needs a screen: xvfb-run is one. */
const webkit = async () => {
  const binary = ['4.1', '6.0', '4.0'].map((version) => `/usr/lib/${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}-linux-gnu/webkit2gtk-${version}/MiniBrowser`).find(existsSync);
  const port = await freePort();
  const child = spawn('WebKitWebDriver', [`--port=${port}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.on('spawn', resolve);
    child.on('error', reject);
  });
  const ask = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${path}: ${value?.error}, ${value?.message}`);
    return value;
  };
  let opened;
  for (let tries = 0; !opened; tries++) {
    opened = await ask('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } } }).catch((error) => {
      if (tries === 20 || !/fetch failed/.test(error)) throw error;
    });
    await sleep(100);
  }
  const path = `/session/${opened.sessionId}`;
  return {
    name: `WebKitGTK ${opened.capabilities.browserVersion}`,
    goTo: (url) => ask('POST', `${path}/url`, { url }),
    reload: () => ask('POST', `${path}/refresh`, {}),
    evaluate: (expression) => ask('POST', `${path}/execute/sync`, { script: `return (${expression})`, args: [] }),
    click: (x, y) => ask('POST', `${path}/actions`, { actions: [pointer(x, y)] }),
    async close() {
      await ask('DELETE', path).catch(() => {});
      await end(child);
    },
  };
};

const pointer = (x, y) => ({
  type: 'pointer',
  id: 'mouse',
  parameters: { pointerType: 'mouse' },
  actions: [{ type: 'pointerMove', x, y, duration: 50 }, { type: 'pointerDown', button: 0 }, { type: 'pause', duration: 40 }, { type: 'pointerUp', button: 0 }],
});

const pages = {
  '/': page('<h1>Engines</h1><button id="dull" type="button">dull</button><a id="go" href="/next">next</a>', {
    // A driven browser says so, and would not be watched.
    head: "<script>Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })</script>",
  }),
};

const count = (list) => list.reduce((counts, { name }) => ({ ...counts, [name]: (counts[name] ?? 0) + 1 }), {});

const visit = async (engine, target) => {
  const site = await startSite(pages, { forward: target?.base });
  const browser = await engine();
  try {
    await browser.goTo(`${site.origin}/`);
    await sleep(2000);
    assert.deepEqual(site.scripts, ['/identity.js', '/identity-more.js'], 'both scripts are fetched');
    const box = JSON.parse(await browser.evaluate("JSON.stringify(document.querySelector('#dull').getBoundingClientRect())"));
    await browser.click(Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2));
    await browser.evaluate("identity.track('bought', { plan: 'pro' })");
    await browser.evaluate("setTimeout(() => { throw new TypeError('an error of the engine') }) && ''");
    await sleep(4500);
    await browser.reload();
    await sleep(2500);
    await browser.goTo('about:blank');
    await sleep(1500);

    assert.deepEqual(site.posts().map(({ status }) => status).filter((status) => status !== 202), [], 'every batch is taken');
    assert.equal(site.requests.filter(({ method }) => method === 'OPTIONS').length, 0, 'no preflight');
    const events = site.events();
    const { page_view, bought, js_exception, dead_click } = count(events);
    assert.deepEqual({ page_view, bought, js_exception, dead_click }, { page_view: 2, bought: 1, js_exception: 1, dead_click: 1 }, JSON.stringify(events));
    assert.match(events.find(({ name }) => name === 'js_exception').data.message, /^TypeError: an error of the engine$/);
    const sessions = [...new Set(events.map(({ session }) => session))];
    assert.equal(sessions.length, 1);
    if (target) {
      const find = () => target.find(`/sessions/${sessions[0]}`);
      let found = await find();
      for (let tries = 0; tries < 60 && found?.event_count !== events.length; tries++) {
        await sleep(250);
        found = await find();
      }
      assert.deepEqual(count(found.events), count(events));
      assert.deepEqual([found.event_count, found.page_views, found.click_count], [events.length, 2, 1]);
    }
    return `${browser.name}: ${site.posts().length} batches, ${events.length} events: ${JSON.stringify(count(events))}`;
  } finally {
    await browser.close();
    await site.close();
  }
};

const engines = { firefox, webkit };
const target = await startTarget();
for (const name of process.argv[2] ? process.argv.slice(2) : Object.keys(engines)) {
  try {
    console.log(`passed  ${await visit(engines[name], target)}`);
  } catch (error) {
    console.log(`FAILED  ${name}: ${error.stack ?? error}`);
    process.exitCode = 1;
  }
}
if (target) console.log(`The figures of ${target.base} are what was done`);
target?.stop();
