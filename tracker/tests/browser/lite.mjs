// What the small script does in a way of its own. What both do is in the other files, and run with each.

import assert from 'node:assert/strict';
import { newContext } from './browser.mjs';
import { page } from './site.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hello = (attributes = '', more = {}) => ({
  '/': page('<h1>Hello</h1><a id="go" href="/next">next</a>', { attributes, ...more }),
  '/next': page('<h1>Next</h1><a id="go" href="/last">last</a>', { attributes, ...more }),
  '/last': page('<h1>Last</h1>', { attributes, ...more }),
});

const depth = (value) => (value && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0);

/** Holds what was sent against the collector's rules. */
const assertLegal = (posts) => {
  for (const { text, batch } of posts) {
    assert.ok(Buffer.byteLength(text) <= 65_536, `${Buffer.byteLength(text)} bytes`);
    assert.ok(batch.events.length <= 100, `${batch.events.length} events`);
    assert.ok(batch.page.length <= 2048 && batch.session.url.length <= 2048);
    assert.match(batch.visitor.visitor_id + batch.session.session_id, /^v_([\w-]{16})ses_\1_[\da-z]+$/);
    for (const { name, url = '', created_at, data = {} } of batch.events) {
      assert.match(name, /^[a-z\d_]{1,64}$/);
      assert.ok(url.length <= 2048 && Number.isInteger(created_at));
      assert.ok(!Array.isArray(data) && Buffer.byteLength(JSON.stringify(data)) <= 8192, name);
      assert.ok(depth(data) < 120, name);
    }
  }
};

const hostile = {
  'no storage and no beacon': () => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new Error('no storage');
        },
      });
    }
    delete Navigator.prototype.sendBeacon;
  },
  'a full storage': () => {
    for (let size = 2 ** 20; size; size = Math.floor(size / 2)) {
      for (let n = 0; ; n++) {
        try {
          localStorage[`fill${size}-${n}`] = 'x'.repeat(size);
        } catch {
          break;
        }
      }
    }
  },
  'no measurements': () => {
    delete window.PerformanceObserver;
    performance.getEntriesByType = () => {
      throw new Error('no entries');
    };
  },
  'names that mean something else': () => {
    window.navigation = 5;
    window.identity = { q: 5 };
    Intl.DateTimeFormat = undefined;
  },
};

export const lite = [
  {
    id: 'small: visit',
    name: 'two quick pages are one batch',
    pages: hello(),
    async run(t) {
      const tab = await t.open('/');
      await sleep(500);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      await tab.evaluate(() => identity.track('Bought it', { plan: 'pro' }));
      await sleep(500);
      await t.leave(tab);
      const views = t.expectViews(['/', '/next']);
      assert.deepEqual(views.map(({ data }) => data.title), ['A page of the scenarios', 'A page of the scenarios']);
      t.expect({ bought_it: 1 });
      assert.deepEqual(t.site.events('bought_it').map(({ url, data }) => [url, data]), [['/next', { plan: 'pro' }]]);
      assert.equal(t.site.posts().length, 1);
      assert.equal(t.site.events('web_vitals').length, 2);
      const [{ headers, batch }] = t.site.posts();
      assert.match(headers['content-type'], /^text\/plain/);
      assert.ok(batch.visitor.screen_width > 0 && batch.visitor.timezone && batch.visitor.language);
      assertLegal(t.site.posts());
      assert.deepEqual(t.site.requests.filter(({ method }) => method === 'OPTIONS'), []);
    },
  },
  {
    id: 'small: switch',
    name: 'a site changes from the whole script to the small one and back: visitor and session go on',
    pages: hello(),
    async run(t) {
      t.site.state.isLite = false;
      const tab = await t.open('/?utm_source=news&gclid=secret');
      await tab.evaluate(() => identity.identify('user-1'));
      await tab.mouse.click(300, 300);
      await sleep(3500);
      t.site.state.isLite = true;
      await tab.goto(`${t.site.origin}/next`);
      await sleep(500);
      await t.settle(tab);
      const [one, other] = [await tab.evaluate(() => [identity.visitorId, identity.sessionId]), t.site.batches()[0]];
      assert.deepEqual(one, [other.visitor.visitor_id, other.session.session_id]);
      t.site.state.isLite = false;
      await tab.goto(`${t.site.origin}/last`);
      await sleep(2000);
      await tab.mouse.click(300, 300);
      await sleep(2500);
      await t.leave(tab);
      t.expectViews(['/', '/next', '/last']);
      const facts = ({ visitor, session: { session_id, started_at, url, utm_source } }) => JSON.stringify([visitor.visitor_id, visitor.aliases, session_id, started_at, url, utm_source]);
      assert.equal(new Set(t.site.batches().map(facts)).size, 1, t.site.batches().map(facts).join('\n'));
      assert.equal(t.site.batches()[0].session.url, '/?gclid');
      assert.equal(t.site.batches().at(-1).session.click_count, 2, 'clicks are counted on');
      // And from one that the small script has begun.
      const second = await (await newContext(t.context.browser())).newPage();
      t.site.state.isLite = true;
      await second.goto(`${t.site.origin}/`);
      await second.evaluate(() => identity.flush());
      t.site.state.isLite = false;
      await second.goto(`${t.site.origin}/next`);
      await sleep(1500);
      await second.mouse.click(300, 300);
      await sleep(2500);
      await t.leave(second);
      const last = t.site.batches().at(-1);
      const begun = t.site.batches().find(({ visitor }) => visitor.visitor_id === last.visitor.visitor_id);
      assert.ok(begun !== last && begun.session.session_id === last.session.session_id);
      assert.equal(last.session.click_count, 1);
      assertLegal(t.site.posts());
    },
  },
  {
    id: 'small: data',
    name: 'whatever a site passes, no call throws and no batch is refused',
    pages: hello(),
    async run(t) {
      const tab = await t.open('/');
      const answered = () => tab.waitForFunction(() => localStorage['identity.000000.waiting'] === '[]');
      await tab.evaluate(async () => {
        const cycle = { a: 1 };
        cycle.self = cycle;
        for (const data of [cycle, { big: 10n }, { get bad() { throw new Error('bad'); } }, JSON.parse('{"a":'.repeat(600) + '1' + '}'.repeat(600)), { list: JSON.parse('['.repeat(300) + ']'.repeat(300)) }, { text: 'ä'.repeat(5000) }])
          identity.track('dropped', data);
        identity.track('half', { text: '\ud83d' });
        identity.track('odd', { nan: NaN, f() {}, node: document.createElement('p'), date: new Date(0) });
        identity.track('fits', { text: 'ä'.repeat(3900) });
        for (const data of [undefined, null, 5, 'text', [1, 2], Symbol.iterator]) identity.track('plain', data);
        for (const name of ['', '***', undefined, null, Symbol.iterator, { toString() { throw new Error('bad'); } }, 'x'.repeat(200), 'Ünï Code']) identity.track(name);
        for (const id of ['', 'x'.repeat(257), undefined, null, {}, NaN, Symbol.iterator, ...Array.from({ length: 30 }, (_, n) => `user-${n}`)]) identity.identify(id);
        for (const path of [Symbol.iterator, 'http://', {}]) identity.page(path, {});
        for (let n = 0; n < 150; n++) identity.track('flood', { n, text: '\u{1f600}'.repeat(400) });
        identity.consent(true);
        const held = [identity.flush(), identity.track('after')];
        await Promise.all(held);
      });
      await answered();
      await tab.evaluate(async () => {
        identity.before((event) => {
          if (event.name === 'mine') event.name = 'Not A Name';
          event.created_at = 5;
          return event.name === 'unwanted' ? null : { ...event, url: 5, data: { ...event.data, seen: true } };
        });
        identity.track('mine');
        identity.track('unwanted');
        await identity.flush();
        identity.before(() => {
          throw new Error('hook');
        });
        identity.track('thrown');
      });
      await answered();
      await t.leave(tab);
      const counts = {};
      for (const { name } of t.site.events()) counts[name] = (counts[name] ?? 0) + 1;
      const { page_view, web_vitals, undefined: none, null: nothing, ...others } = counts;
      assert.deepEqual(others, { half: 1, odd: 1, fits: 1, plain: 6, [`${'x'.repeat(64)}`]: 1, n_code: 1, flood: 150, after: 1, mine: 1, symbol_symbol_iterator: 1 });
      assert.deepEqual(t.site.events('mine')[0].data, { seen: true });
      assert.equal(t.site.batches().at(-1).visitor.aliases.length, 20);
      assertLegal(t.site.posts());
    },
  },
  {
    id: 'small: failing',
    name: 'what could not be delivered is sent by a later page under its own id, once; what is refused is not sent again',
    pages: hello(),
    async run(t) {
      const flush = async (tab) => {
        await tab.evaluate(() => identity.flush());
        await sleep(300);
      };
      t.site.state.answer = () => 429;
      const tab = await t.open('/');
      await flush(tab);
      t.site.state.answer = () => 'drop';
      await tab.evaluate(() => identity.track('second'));
      await flush(tab);
      await t.leave(tab);
      const failed = new Set(t.site.posts().map(({ batch }) => batch.batch_id));
      assert.deepEqual(t.site.batches(), []);
      const before = t.site.posts().length;
      t.site.state.answer = undefined;
      const later = await t.open('/next');
      await flush(later);
      await sleep(300);
      const again = t.site.posts().slice(before);
      for (const id of failed) assert.equal(again.filter(({ batch }) => batch.batch_id === id).length, 1, id);
      t.expectViews(['/', '/next']);
      assert.equal(t.site.events('second').length, 1);
      for (const { batch } of again.filter(({ batch }) => failed.has(batch.batch_id))) assert.ok(batch.sent_at > Math.max(...batch.events.map(({ created_at }) => created_at)));
      assert.equal(await later.evaluate(() => localStorage['identity.000000.waiting']), '[]');
      let refused;
      t.site.state.answer = ({ batch }) => {
        if (!batch.events.some(({ name }) => name === 'bad')) return undefined;
        refused = batch.batch_id;
        return 400;
      };
      await later.evaluate(() => identity.track('bad'));
      await flush(later);
      await later.evaluate(() => identity.track('good'));
      await flush(later);
      await sleep(300);
      t.site.posts().forEach((post) => post.status === 400 && (post.status = 'refused'));
      assert.equal(t.site.posts().filter(({ batch }) => batch.batch_id === refused).length, 1);
      assert.equal(t.site.events('good').length, 1);
      await t.leave(later);
    },
  },
  {
    id: 'small: hangs',
    name: 'a collector that never answers: nothing is lost, and the page is not kept',
    pages: hello(),
    async run(t) {
      t.site.state.answer = () => 'hang';
      const tab = await t.open('/');
      await sleep(200);
      // Who waits for it is not kept waiting.
      await tab.evaluate(() => identity.flush());
      await sleep(300);
      await tab.evaluate(() => identity.track('bought'));
      await t.leave(tab);
      t.site.state.answer = undefined;
      const later = await t.open('/next');
      await later.evaluate(() => identity.flush());
      // What arrived counts, answered or not, each batch once.
      const names = () => {
        const arrived = new Map(t.site.posts().map(({ batch }) => [batch.batch_id, batch]));
        return [...arrived.values()].flatMap(({ events }) => events.map(({ name }) => name)).filter((name) => name !== 'web_vitals');
      };
      // A page that is left before its posts are on their way leaves them to the next one.
      for (let tries = 0; tries < 50 && names().length < 3; tries++) await sleep(100);
      await t.leave(later);
      assert.deepEqual(names().sort(), ['bought', 'page_view', 'page_view']);
    },
  },
  ...Object.entries(hostile).map(([what, init]) => ({
    id: `small: ${what}`,
    name: `a hostile page: ${what}`,
    pages: { '/': page('<form name="referrer"></form>', { head: '<base href="/elsewhere/">' }) },
    async run(t) {
      await t.context.addInitScript(init);
      const failures = [];
      t.context.on('page', (tab) => tab.on('pageerror', (error) => failures.push(error)));
      const tab = await t.open('/');
      await sleep(1300);
      await tab.evaluate(() => {
        // A document has its forms under their names.
        const form = document.createElement('form');
        form.name = 'title';
        document.body.append(form);
        history.pushState(null, '', '/route');
        identity.track('bought');
      });
      await sleep(300);
      await t.settle(tab);
      await tab.evaluate(() => {
        document.forms[1].remove();
        identity.track('again');
      });
      await t.leave(tab);
      assert.deepEqual(failures, []);
      t.expectViews(['/', '/route']);
      t.expect({ bought: 1, again: 1 });
      assertLegal(t.site.posts());
    },
  })),
  {
    id: 'small: none',
    name: 'where nothing is kept, what a page said is not said again as it comes back',
    pages: hello('data-storage="none"'),
    async run(t) {
      const tab = await t.open('/');
      await tab.evaluate(() => identity.track('bought'));
      await sleep(300);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      await sleep(1300);
      await t.back(tab, '/');
      await sleep(300);
      await t.leave(tab);
      t.expectViews(['/', '/next', '/']);
      t.expect({ bought: 1 });
    },
  },
  {
    id: 'small: excluded',
    name: 'of a page where nothing is measured nothing is told later, not its vitals either',
    pages: { '/admin/users': page('<h1>Users</h1>', { attributes: 'data-exclude="/admin/**"' }) },
    async run(t) {
      const tab = await t.open('/admin/users');
      await tab.evaluate(() => identity.track('secret'));
      await sleep(1300);
      await tab.evaluate(() => history.pushState(null, '', '/home'));
      await sleep(300);
      await t.leave(tab);
      t.expectViews(['/home']);
      t.expect({});
      assert.ok(!JSON.stringify(t.site.batches()).includes('admin'));
      assert.deepEqual(t.site.events('web_vitals'), []);
    },
  },
  {
    id: 'small: withdrawn',
    name: 'what waits as a visitor withdraws is dropped, and who agrees again is someone else',
    pages: hello('data-consent="required"'),
    async run(t) {
      const tab = await t.open('/');
      await tab.evaluate(() => identity.consent(true));
      const first = await tab.evaluate(() => identity.visitorId);
      await tab.evaluate(() => identity.track('before'));
      await tab.evaluate(() => identity.consent(false));
      assert.deepEqual(await tab.evaluate(() => [Object.keys(localStorage), identity.visitorId]), [[], undefined]);
      // An opt-out that is taken back is no consent.
      await tab.evaluate(() => {
        identity.optOut();
        identity.optIn();
      });
      await sleep(200);
      assert.equal(await tab.evaluate(() => identity.visitorId), undefined);
      await tab.evaluate(() => identity.consent(true));
      const second = await tab.evaluate(() => identity.visitorId);
      assert.ok(first && second && first !== second);
      await t.leave(tab);
      t.expectViews(['/']);
      t.expect({});
      assert.deepEqual([...new Set(t.site.batches().map(({ visitor }) => visitor.visitor_id))], [second]);
    },
  },
  {
    id: 'small: opt-out elsewhere',
    name: 'an opt-out in one tab counts in the others',
    pages: hello(),
    async run(t) {
      const [one, other] = [await t.open('/'), await t.open('/next')];
      await other.evaluate(() => identity.track('bought'));
      await one.evaluate(() => identity.optOut());
      // Another process hears of it a moment later.
      await other.waitForFunction(() => Object.keys(localStorage).some((name) => name.endsWith('.off')));
      await other.evaluate(() => identity.flush());
      for (const tab of [one, other]) await t.leave(tab);
      assert.deepEqual(t.site.posts(), []);
    },
  },
  {
    id: 'small: twice',
    name: 'the script a second time does nothing',
    pages: hello(),
    async run(t) {
      const tab = await t.open('/');
      await tab.waitForFunction(() => window.identity?.version);
      await tab.evaluate(
        () =>
          new Promise((resolve) => {
            const second = document.createElement('script');
            second.dataset.key = 'pk_live_11111111111111111111111111111111';
            second.src = document.querySelector('script[data-key]').src;
            second.onload = resolve;
            document.head.append(second);
          }),
      );
      await sleep(800);
      await t.leave(tab);
      t.expectViews(['/']);
      assert.equal(t.site.posts().length, 1);
    },
  },
  {
    id: 'small: share',
    name: 'a visitor is of the measured share on all pages, or on none',
    pages: hello('data-sample="0.5"'),
    async run(t) {
      for (let n = 0; n < 8; n++) {
        const context = await newContext(t.context.browser());
        const tab = await context.newPage();
        const seen = [];
        for (const path of ['/', '/next', '/last']) {
          await tab.goto(t.site.origin + path);
          await tab.waitForFunction(() => window.identity?.version);
          seen.push(await tab.evaluate(() => !!identity.visitorId));
        }
        assert.equal(new Set(seen).size, 1, String(seen));
        await context.close();
      }
    },
  },
].map((scenario) => ({ ...scenario, isLite: true }));
