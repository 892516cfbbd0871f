// What owners and visitors choose: consent, refusals, where ids are kept, what is left out.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist, page } from './site.mjs';

const [version, integrity] = ['version.txt', 'identity.js.sha384'].map((name) => readFileSync(join(dist, name), 'utf8').trim());

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hello = (attributes, more = {}) => ({ '/': page('<h1>Hello</h1><button id="b" onclick="this.textContent+=1">b</button><a id="go" href="/next">next</a>', { attributes, ...more }), '/next': page('<h1>Next</h1>', { attributes, ...more }) });
const stores = (tab) => tab.evaluate(() => [localStorage.length, sessionStorage.length]);
const gpc = (context) => context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true }));
const ids = (t) => t.site.batches().map(({ visitor, session }) => [visitor.visitor_id, session.session_id]);

export const modes = [
  {
    id: 'consent',
    isForBoth: true,
    name: 'nothing is stored or sent before consent, all of it after',
    pages: hello('data-consent="required"'),
    async run(t) {
      const tab = await t.open('/');
      await tab.evaluate(() => identity.track('early'));
      await sleep(3500);
      assert.equal(t.site.posts().length, 0);
      assert.deepEqual(await stores(tab), [0, 0]);
      await tab.evaluate(() => identity.consent(true));
      await t.settle(tab);
      assert.ok(t.site.events('early').length === 1 && t.site.events('page_view').length === 1);
      assert.ok((await stores(tab))[0] > 0);
      await tab.evaluate(() => identity.consent(false));
      assert.deepEqual(await stores(tab), [0, 0]);
      const count = t.site.posts().length;
      await tab.evaluate(() => identity.track('late'));
      await t.leave(tab);
      assert.equal(t.site.posts().length, count);
    },
  },
  {
    id: 'consent: later',
    isForBoth: true,
    name: 'a page that refuses before the script has come, and agrees afterwards, is watched whole',
    pages: {
      '/': page('<button id="dull" type="button">dull</button>', { head: "<script>window.identity = { q: [['consent', false]] };</script>" }),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1500);
      assert.equal(t.site.posts().length, 0);
      await tab.evaluate(() => identity.consent(true));
      await sleep(300);
      await tab.click('#dull');
      await sleep(3500);
      await t.leave(tab);
      t.expectViews(['/']);
      t.expect(t.isLite ? {} : { dead_click: 1 });
    },
  },
  {
    id: 'refused',
    isForBoth: true,
    name: 'a refusal lasts, and can be taken back',
    pages: hello(''),
    async run(t) {
      const tab = await t.open('/');
      await sleep(300);
      await tab.evaluate(() => identity.optOut());
      await tab.goto(`${t.site.origin}/next`);
      await sleep(3500);
      assert.equal(t.site.posts().length, 0);
      assert.deepEqual(await tab.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), identity.visitorId]), [['identity.000000.off'], [], undefined]);
      await tab.evaluate(() => identity.optIn());
      await t.settle(tab);
      t.expectViews(['/next']);
      await t.leave(tab);
    },
  },
  {
    id: 'gpc',
    isForBoth: true,
    name: 'Global Privacy Control: ids of the tab, no fingerprint, no names',
    pages: hello('data-fingerprint'),
    async run(t) {
      await gpc(t.context);
      const tab = await t.open('/');
      await tab.evaluate(() => identity.identify('user-1'));
      await t.settle(tab);
      const [local, session] = await stores(tab);
      assert.ok(local === 0 && session > 0);
      for (const { visitor } of t.site.batches()) assert.ok(!visitor.aliases?.length && !visitor.fingerprint_hash);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      await t.leave(tab);
      await t.leave(await t.open('/'));
      assert.equal(new Set(ids(t).map(([visitor]) => visitor)).size, 2, 'another tab is another visitor');
    },
  },
  {
    id: 'session',
    isForBoth: true,
    name: 'ids of the tab',
    pages: hello('data-storage="session"'),
    async run(t) {
      const tab = await t.open('/');
      await tab.evaluate(() => identity.identify('user-1'));
      await sleep(300);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      assert.equal((await stores(tab))[0], 0);
      // The small script keeps names for as long as the tab.
      assert.deepEqual(await tab.evaluate(() => JSON.parse(sessionStorage['identity.000000']).a), t.isLite ? ['user-1'] : []);
      await sleep(300);
      await t.leave(tab);
      t.expectViews(['/', '/next']);
      assert.equal(new Set(ids(t).map(String)).size, 1);
    },
  },
  {
    id: 'none',
    isForBoth: true,
    name: 'nothing kept, each page load a visitor of its own',
    pages: hello('data-storage="none"'),
    async run(t) {
      const tab = await t.open('/');
      await sleep(300);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      assert.deepEqual(await stores(tab), [0, 0]);
      await sleep(300);
      await t.leave(tab);
      t.expectViews(['/', '/next']);
      assert.equal(new Set(ids(t).map(([visitor]) => visitor)).size, 2);
      assert.equal(new Set(ids(t).map(([, session]) => session)).size, 2);
      assert.ok(ids(t).every(([visitor]) => /^v_[\w-]{16}$/.test(visitor)));
    },
  },
  {
    id: 'derived',
    name: 'nothing kept, the session derived from the device',
    pages: hello('data-storage="none" data-fingerprint'),
    // Another device each time: the same one would go on with its session.
    context: () => ({ screen: { width: 800 + Math.floor(Math.random() * 1e6), height: 600 }, viewport: { width: 800, height: 600 } }),
    async run(t) {
      const tab = await t.open('/');
      await sleep(300);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      assert.deepEqual(await stores(tab), [0, 0]);
      await sleep(300);
      await t.leave(tab);
      t.expectViews(['/', '/next']);
      const batches = t.site.batches();
      assert.ok(batches.every(({ visitor }) => visitor.visitor_id === undefined && /^[\da-f]{32}$/.test(visitor.fingerprint_hash)));
      assert.equal(new Set(batches.map(({ session }) => session.session_id)).size, 1);
    },
  },
  {
    id: 'left out',
    isForBoth: true,
    name: 'what the owner leaves out',
    pages: {
      '/': page(`<a id="go" href="/admin/users">admin</a>`, { attributes: 'data-exclude="/admin/**" data-off="seo,web_vitals"' }),
      '/admin/users': page('<button id="dull" type="button">dull</button>', { attributes: 'data-exclude="/admin/**" data-off="seo,web_vitals"' }),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1500);
      await tab.click('#go');
      await tab.waitForURL('**/admin/users');
      await sleep(1200);
      await tab.click('#dull');
      await tab.evaluate(() => identity.track('secret'));
      await sleep(3500);
      await t.leave(tab);
      t.expectViews(['/']);
      t.expect({});
      assert.deepEqual(t.site.events('web_vitals').concat(t.site.events('seo_diagnostics')), []);
    },
  },
  {
    id: 'left out in one page',
    isForBoth: true,
    name: 'an address that the owner leaves out is told nowhere: not as landing page, nor as where a redirect or a batch is',
    pages: { '/admin/users': page('<h1>Users</h1>', { attributes: 'data-exclude="/admin/**"' }) },
    async run(t) {
      const tab = await t.open('/admin/users');
      const go = (kind, to) => tab.evaluate(([kind, to]) => history[kind](null, '', to), [kind, to]);
      await sleep(1300);
      await go('pushState', '/home');
      await sleep(1300);
      await go('pushState', '/admin/roles');
      await tab.evaluate(() => identity.flush());
      await sleep(1300);
      await go('pushState', '/pricing');
      await go('replaceState', '/admin/plans');
      await sleep(300);
      await t.leave(tab);
      assert.ok(t.site.events('page_view').some(({ data }) => data.url === '/home'));
      const batches = t.site.batches();
      assert.deepEqual([...new Set(batches.map(({ session }) => session.url))], ['/home']);
      assert.ok(!JSON.stringify(batches).includes('admin'));
    },
  },
  {
    id: 'sample',
    isForBoth: true,
    name: 'a share of none',
    pages: hello('data-sample="0"'),
    async run(t) {
      const tab = await t.open('/');
      await sleep(3500);
      await t.leave(tab);
      assert.equal(t.site.posts().length, 0);
    },
  },
  {
    id: 'stub',
    isForBoth: true,
    name: 'calls and errors before the script',
    pages: hello('', { head: `<script>window.identity ||= { q: [] }; for (const name of ['track', 'identify']) identity[name] = (...args) => identity.q.push([name, ...args]); for (const type of ['error', 'unhandledrejection']) addEventListener(type, (event) => identity.q?.push(event)); identity.track('early', { a: 1 }); setTimeout(() => { throw new Error('early error'); }); const until = performance.now() + 60; while (performance.now() < until);</script><script async src="/slow.js"></script>` }),
    async run(t) {
      const tab = await t.open('/');
      await sleep(500);
      await t.leave(tab);
      t.expect({ early: 1, ...(!t.isLite && { js_exception: 1 }) });
    },
  },
  {
    id: 'names',
    name: 'a form that a document has under the name of what the script asks for',
    pages: { '/': page('<form name="host"><input name="closest"></form><p><button type="button">dull</button></p>') },
    async run(t) {
      const tab = await t.open('/');
      await tab.click('button');
      await sleep(3500);
      await t.leave(tab);
      t.expect({ dead_click: 1 });
    },
  },
  {
    id: 'effects',
    name: 'a change of the look that is there a second later is an answer, one that is over is none',
    pages: {
      '/': page(`<button id="long" type="button">long</button><button id="short" type="button">short</button>
<script>
  for (const [id, ms] of [['long', 2000], ['short', 500]])
    document.getElementById(id).onclick = ({ target }) => {
      setTimeout(() => target.classList.add('lit'), 200);
      setTimeout(() => target.classList.remove('lit'), ms);
    };
</script>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await tab.click('#long');
      await sleep(4000);
      await tab.click('#short');
      await sleep(4000);
      await t.leave(tab);
      t.expect({ dead_click: 1 });
      assert.equal(t.site.events('dead_click')[0].data.selector, '#short');
    },
  },
  {
    id: 'phone',
    name: 'a phone that hides the page sends, and one that comes back goes on',
    pages: hello(''),
    context: { hasTouch: true, isMobile: true },
    visibility: 'visible',
    async run(t) {
      await t.context.addInitScript(() => {
        const original = window.matchMedia;
        window.matchMedia = (query) => (/hover/.test(query) ? { matches: false } : original.call(window, query));
      });
      const tab = await t.open('/');
      await sleep(1500);
      await tab.evaluate(() => emulate.visibility('hidden'));
      await sleep(500);
      assert.equal(t.site.posts().length, 1);
      assert.equal(t.site.events('reading_behavior').length, 1);
      await tab.evaluate(() => emulate.visibility('visible'));
      await sleep(500);
      await t.leave(tab);
      t.expectViews(['/']);
      assert.equal(t.site.events('reading_behavior').length, 1);
    },
  },
  {
    id: 'killed',
    name: 'a page that is killed while hidden speaks at the next visit',
    pages: { '/': page('<form id="f" onsubmit="return false"><input id="x" name="x"><input name="y"><button>go</button></form>'), '/next': page('<h1>next</h1>') },
    visibility: 'visible',
    async run(t) {
      await t.context.addInitScript(() => {
        for (const type of ['pagehide', 'visibilitychange', 'freeze']) {
          addEventListener(type, (event) => window.isKilled && event.stopImmediatePropagation(), true);
        }
      });
      const tab = await t.open('/');
      await sleep(1500);
      await tab.click('#x');
      await tab.keyboard.type('abc');
      await tab.evaluate(() => emulate.visibility('hidden'));
      await sleep(200);
      const left = t.site.posts().length;
      // Killed pages are told nothing.
      await tab.evaluate(() => (window.isKilled = true));
      await tab.close({ runBeforeUnload: false });
      await sleep(300);
      assert.equal(t.site.posts().length, left);
      // Another tab waits until it is sure.
      const other = await t.open('/next');
      await other.evaluate(() => {
        const name = Object.keys(localStorage).find((key) => key.endsWith('waiting'));
        const kept = JSON.parse(localStorage[name]);
        for (const entry of kept) entry.at -= 31 * 60_000;
        localStorage[name] = JSON.stringify(kept);
      });
      await other.evaluate(() => identity.flush());
      await sleep(500);
      await t.leave(other);
      t.expectViews(['/', '/next']);
      t.expect({ form_abandon: 1 });
    },
  },
  {
    id: 'named',
    isForBoth: true,
    name: 'routes with names, and pages without addresses',
    pages: hello(''),
    async run(t) {
      const tab = await t.open('/');
      await sleep(2200);
      await tab.mouse.click(300, 300);
      await tab.evaluate(() => {
        history.pushState(null, '', '/orders/17');
        identity.page('/orders/:id', 'An order');
        history.replaceState({ scroll: 1 }, '');
      });
      await sleep(2200);
      await tab.mouse.click(300, 300);
      await tab.evaluate(() => identity.page('/orders/step-2'));
      await sleep(300);
      await t.leave(tab);
      const views = t.expectViews(['/', '/orders/:id', '/orders/step-2']);
      assert.equal(views[1].data.title, 'An order');
    },
  },
  {
    id: 'heartbeat',
    name: 'somebody who reads for long stays live',
    pages: hello(''),
    clock: true,
    async run(t) {
      const tab = await t.open('/');
      for (let minute = 0; minute < 10; minute++) {
        await tab.mouse.move(300 + minute, 300);
        await t.pass(tab, 60_000);
      }
      await sleep(200);
      const beats = t.site.posts().filter(({ batch }) => !batch.events.length);
      assert.equal(beats.length, 2);
      assert.deepEqual([...new Set(beats.map(({ batch }) => batch.session.session_id))], [t.site.events()[0].session]);
      await t.leave(tab);
    },
  },
  {
    id: 'refusing',
    isForBoth: true,
    name: 'a collector that knows no such key',
    pages: hello(''),
    async run(t) {
      t.site.state.answer = () => 401;
      const tab = await t.open('/');
      await t.settle(tab);
      const count = t.site.posts().length;
      assert.equal(count, 1);
      await tab.click('#b');
      await tab.evaluate(() => identity.flush());
      await t.leave(tab);
      assert.equal(t.site.posts().length, count);
    },
  },
  {
    id: 'reset',
    isForBoth: true,
    name: 'another person at the same computer',
    pages: hello(''),
    async run(t) {
      const tab = await t.open('/');
      await tab.evaluate(() => identity.identify('ana'));
      await t.settle(tab);
      await tab.evaluate(() => identity.reset());
      await t.settle(tab);
      await t.leave(tab);
      const first = t.site.batches()[0];
      const last = t.site.batches().at(-1);
      assert.deepEqual(first.visitor.aliases, ['ana']);
      assert.notEqual(first.visitor.visitor_id, last.visitor.visitor_id);
      assert.equal(last.visitor.aliases?.length ?? 0, 0);
    },
  },
  {
    id: 'more: off',
    isForBoth: true,
    name: 'a second script that nothing is wanted of is not fetched',
    pages: hello('data-off="clicks, logs forms,reading,seo"'),
    async run(t) {
      const tab = await t.open('/');
      await sleep(2500);
      await t.leave(tab);
      t.expectViews(['/']);
      assert.deepEqual(t.site.scripts, [t.isLite ? '/identity-lite.js' : '/identity.js']);
    },
  },
  {
    id: 'more: bot',
    isForBoth: true,
    name: 'a program is not watched',
    pages: hello(''),
    async run(t) {
      await t.context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => true }));
      const tab = await t.open('/');
      await sleep(3500);
      await t.leave(tab);
      assert.equal(t.site.batches()[0].visitor.bot_score, 100);
      assert.deepEqual(t.site.scripts, [t.isLite ? '/identity-lite.js' : '/identity.js']);
    },
  },
  ...[
    ['more: gone', 'is not there', () => 404, ''],
    ['more: other', 'is of another version', () => 'console.warn("not ours")', ''],
    ['more: refused', 'is not allowed by the page', undefined, (collector) => `<meta http-equiv="content-security-policy" content="script-src ${collector}/identity.js">`],
  ].map(([id, what, answer, head]) => ({
    id,
    name: `a second script that ${what} leaves the first at work`,
    pages: { '/': (collector) => page('<button id="b" type="button">b</button>', { head: head && head(collector) })(collector) },
    async run(t) {
      t.site.state.more = answer;
      const logged = [];
      t.context.on('console', (message) => logged.push(message.text()));
      const tab = await t.open('/');
      await tab.evaluate(() => void Promise.reject(new Error('a rejection')));
      await tab.click('#b');
      await tab.evaluate(() => identity.track('bought'));
      await sleep(3500);
      await t.leave(tab);
      t.expectViews(['/']);
      t.expect({ promise_rejection: 1, bought: 1 });
      assert.ok(t.site.events('web_vitals').length >= 1);
      assert.ok(!logged.includes('not ours'), 'only its own second script is run');
    },
  })),
  {
    id: 'more: late',
    name: 'a second script that comes late reads the view from its start, and judges what follows',
    pages: hello(''),
    async run(t) {
      t.site.state.more = () => sleep(2000);
      const tab = await t.context.newPage();
      await tab.goto(`${t.site.origin}/`);
      await sleep(1000);
      await tab.evaluate(() => {
        // An error of the first moment is the first script's.
        setTimeout(() => {
          throw new Error('early error');
        });
        document.querySelector('#b').removeAttribute('onclick');
      });
      await sleep(2000);
      await tab.click('#b');
      await sleep(3500);
      await t.leave(tab);
      t.expectViews(['/']);
      t.expect({ js_exception: 1, dead_click: 1 });
      const [{ data }] = t.site.events('reading_behavior');
      assert.ok(data.total_time_ms >= 6000 && data.active_time_ms >= 6000, JSON.stringify(data));
    },
  },
  {
    id: 'more: strict',
    name: 'a page that allows scripts by nonce, and trusted types by name',
    pages: {
      '/': (collector) =>
        page('<button id="dull" type="button">dull</button>', {
          head: `<meta http-equiv="content-security-policy" content="script-src 'nonce-abc'; connect-src ${collector}; require-trusted-types-for 'script'; trusted-types identity">`,
          attributes: 'nonce="abc"',
        })(collector),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#dull');
      await sleep(3500);
      await t.leave(tab);
      t.expect({ dead_click: 1 });
    },
  },
  {
    id: 'version',
    name: 'held to its hash: the second script is of the same version, the collector has none',
    pages: { '/': (collector) => page('<h1>Hello</h1>')(collector).replace(/src="[^"]*"/, `src="${collector}/v/${version}/identity.js" crossorigin integrity="${integrity}"`) },
    async run(t) {
      const tab = await t.open('/');
      await sleep(2500);
      assert.equal(await tab.evaluate(() => document.querySelectorAll('script').length), 1, 'nothing is left in the page');
      await t.leave(tab);
      t.expectViews(['/']);
      assert.deepEqual(t.site.scripts, [`/v/${version}/identity.js`, `/v/${version}/identity-more.js`]);
      assert.deepEqual([...new Set(t.site.posts().map(({ path }) => path))], ['/collect']);
    },
  },
  ...[0, 1].map((isBlocked) => ({
    id: isBlocked ? 'bait b' : 'bait',
    name: `what looks like an advertisement is ${isBlocked ? 'hidden' : 'shown'}`,
    pages: hello('', { head: isBlocked ? '<style>.adsbox { display: none }</style>' : '' }),
    async run(t) {
      const tab = await t.open('/');
      await sleep(2000);
      assert.equal(await tab.evaluate(() => document.querySelectorAll('.adsbox').length), 1);
      await sleep(1500);
      assert.equal(t.site.batches()[0].visitor.ad_block, isBlocked);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      await sleep(2000);
      assert.equal(await tab.evaluate(() => document.querySelectorAll('.adsbox').length), 0, 'the session knows');
      await t.leave(tab);
      assert.ok(t.site.batches().every(({ visitor }) => visitor.ad_block === isBlocked));
    },
  })),
];
