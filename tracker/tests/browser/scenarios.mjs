// What people and pages do, and what must have been sent of it. Each is a page and a walk in a browser of its own.

import assert from 'node:assert/strict';
import { emulateVisibility } from './browser.mjs';
import { page } from './site.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Button with text and handler. */
const button = (id, handler = '', more = '') => `<button id="${id}" ${handler && `onclick="${handler}"`} ${more}>${id}</button>`;

/** A button without an inline handler, so that nothing answers it. */
const inert = (id, more = '') => `<button id="${id}" type="button" ${more}>${id}</button>`;

export const scenarios = [
  {
    id: 1,
    isForBoth: true,
    name: 'opened in the background, seen later',
    pages: { '/': page('<h1>Hello</h1>') },
    visibility: 'hidden',
    async run(t) {
      const tab = await t.open('/');
      await sleep(5000);
      assert.equal(t.site.posts().length, 0, 'nothing is sent while hidden');
      const before = Date.now();
      await tab.evaluate(() => emulate.visibility('visible'));
      await sleep(300);
      await t.leave(tab);
      const [view] = t.expectViews(['/']);
      assert.ok(view.created_at >= before);
      for (const { data } of t.site.events('web_vitals')) assert.ok(!('lcp' in data) && !('fcp' in data));
      t.expect({});
    },
  },
  {
    id: 2,
    isForBoth: true,
    name: 'prerendered, never or later activated',
    pages: { '/': page('<h1>Hello</h1>') },
    visibility: 'hidden',
    async run(t) {
      await t.context.addInitScript(() => {
        let is = true;
        Object.defineProperty(Document.prototype, 'prerendering', { get: () => is });
        const original = performance.getEntriesByType;
        performance.getEntriesByType = function (type) {
          const entries = original.call(this, type);
          return type === 'navigation' ? entries.map((entry) => ({ responseStart: entry.responseStart, activationStart: 1e6 })) : entries;
        };
        Object.defineProperty(window, 'activate', {
          value() {
            is = false;
            document.dispatchEvent(new Event('prerenderingchange'));
            emulate.visibility('visible');
          },
        });
      });
      const never = await t.open('/');
      await sleep(4000);
      await t.leave(never);
      assert.equal(t.site.posts().length, 0);
      const tab = await t.open('/');
      await tab.evaluate(() => activate());
      await sleep(3500);
      await t.leave(tab);
      t.expectViews(['/']);
      // The small script tells no vitals of a page that was not seen from the start.
      assert.deepEqual(t.site.events('web_vitals').map(({ data }) => data.ttfb).filter((value) => value != null), t.isLite ? [] : [0]);
      t.expect({});
    },
  },
  {
    id: 3,
    isForBoth: true,
    name: 'back out of the back/forward cache',
    pages: { '/a': page('<a id="go" href="/b">b</a>'), '/b': page('<h1>b</h1>') },
    async run(t) {
      const tab = await t.open('/a');
      await tab.evaluate(() => addEventListener('pageshow', ({ persisted }) => (window.isPersisted = persisted)));
      await sleep(400);
      await tab.click('#go');
      await tab.waitForURL('**/b');
      await sleep(2300);
      await t.back(tab, '/a');
      assert.equal(await tab.evaluate(() => window.isPersisted), true);
      await sleep(500);
      await t.leave(tab);
      const views = t.expectViews(['/a', '/b', '/a']);
      assert.equal(new Set(views.map(({ session }) => session)).size, 1);
      t.expect({});
    },
  },
  {
    id: 4,
    isForBoth: true,
    name: 'web vitals once, not again after a restore',
    pages: {
      '/a': page('<a id="go" href="/b">b</a><button id="slow" onclick="for(const t=performance.now();performance.now()-t<120;);this.textContent+=1">slow</button>'),
      '/b': page('<h1>b</h1>'),
    },
    async run(t) {
      const tab = await t.open('/a');
      await sleep(300);
      await tab.click('#slow');
      await sleep(300);
      await tab.click('#go');
      await tab.waitForURL('**/b');
      await sleep(300);
      await t.back(tab, '/a');
      await tab.click('#slow');
      await sleep(300);
      await t.leave(tab);
      const vitals = t.site.events('web_vitals').filter(({ data }) => data.url === '/a');
      for (const name of ['ttfb', 'fcp', 'lcp', 'cls', 'inp', 'fid']) {
        assert.equal(vitals.filter(({ data }) => name in data).length, 1, name);
      }
      assert.ok(vitals.find(({ data }) => data.inp >= 100));
      t.expect({});
    },
  },
  {
    id: 5,
    isForBoth: true,
    name: 'a search that writes each key into the query',
    pages: { '/search': page('<input id="q" name="q" oninput="history.replaceState(null, \'\', \'?q=\' + this.value)">') },
    async run(t) {
      const tab = await t.open('/search');
      await tab.click('#q');
      await tab.keyboard.type('abcdefghij', { delay: 20 });
      await t.leave(tab);
      t.expectViews(['/search']);
      assert.ok(t.site.events().every((event) => !JSON.stringify(event).includes('abc')));
      t.expect({});
    },
  },
  {
    id: 6,
    name: 'a table of contents and a hash that follows the scrolling',
    pages: {
      '/': page(
        `<nav>${[1, 2, 3, 4, 5].map((n) => `<a id="a${n}" href="#s${n}" style="position:fixed;top:${n * 24}px">Part ${n}</a>`).join('')}</nav>
        ${[1, 2, 3, 4, 5].map((n) => `<section id="s${n}" style="height:900px">Part ${n}</section>`).join('')}
        <script>addEventListener('scroll', () => history.replaceState(null, '', '#s' + Math.ceil((scrollY + 1) / 900)))</script>`,
      ),
    },
    async run(t) {
      const tab = await t.open('/');
      for (const n of [1, 2, 3, 4, 5]) {
        await tab.click(`#a${n}`);
        await sleep(200);
      }
      await tab.mouse.wheel(0, 5000);
      await sleep(3500);
      await t.leave(tab);
      t.expectViews(['/']);
      assert.ok(t.site.events('reading_behavior')[0].data.scroll_depth >= 95);
      t.expect({});
    },
  },
  ...[false, true].map((isOld) => ({
    id: isOld ? '7b' : 7,
    isForBoth: true,
    name: `a router on the hash${isOld ? ', without the Navigation API' : ''}`,
    pages: { '/': page('<h1>App</h1>') },
    async run(t) {
      if (isOld) await t.context.addInitScript(() => delete window.navigation);
      const tab = await t.open('/#/a');
      await sleep(1200);
      await tab.mouse.click(5, 5);
      await tab.evaluate(() => (location.hash = '#/b'));
      await sleep(1200);
      await tab.evaluate(() => history.back());
      await sleep(1200);
      await t.leave(tab);
      t.expectViews(['/#/a', '/#/b', '/#/a']);
      t.expect({});
    },
  })),
  {
    id: 8,
    isForBoth: true,
    name: 'a router that redirects',
    pages: {
      '/': page(`<button id="in" onclick="history.pushState(null,'','/login');document.body.append('x');setTimeout(()=>history.replaceState(null,'','/home'),80)">Log in</button>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(2200);
      await tab.click('#in');
      await sleep(1200);
      await t.leave(tab);
      t.expectViews(['/', '/home']);
      t.expect({});
      if (t.api) assert.equal(t.frustration(await t.api('/insights/frustration'))?.rapid_navigations ?? 0, 0);
    },
  },
  {
    id: 9,
    name: 'a body swapped by script, the tracker in it run again',
    pages: {
      '/': (collector) =>
        page(
          `<div id="app">1</div><script>window.swap = (n) => {
            history.pushState(null, '', '/p' + n);
            document.getElementById('app').textContent = n;
            const old = document.querySelector('script[data-key]');
            const again = document.createElement('script');
            for (const { name, value } of old.attributes) again.setAttribute(name, value);
            document.body.append(again);
          }</script>`,
        )(collector),
    },
    async run(t) {
      const tab = await t.open('/');
      for (const n of [1, 2, 3]) {
        await sleep(1100);
        await tab.evaluate((n) => swap(n), n);
      }
      await sleep(500);
      await tab.evaluate(() => setTimeout(() => {
        throw new TypeError('once');
      }));
      await sleep(300);
      await t.leave(tab);
      t.expectViews(['/', '/p1', '/p2', '/p3']);
      t.expect({ js_exception: 1 });
    },
  },
  {
    id: 10,
    name: "the site's own events on links, the collector never answering",
    pages: {
      '/': page(
        `<a id="one" href="/next" data-identity-event="cta clicked" data-identity-prop-plan="pro">Next</a>
         <iframe name="inner" src="/frame" width="300" height="100"></iframe>`,
      ),
      '/frame': page('<a id="two" href="/top" data-identity-event="cta clicked">Top</a>', { attributes: 'data-frames', head: '<base target="_top">' }),
      '/next': page('<h1>next</h1>'),
      '/top': page('<h1>top</h1>'),
    },
    async run(t) {
      t.site.state.answer = () => 'hang';
      const tab = await t.open('/');
      await sleep(300);
      const count = () => t.context.pages().length;
      await Promise.all([t.context.waitForEvent('page'), tab.click('#one', { modifiers: ['Control'] })]);
      await Promise.all([t.context.waitForEvent('page'), tab.click('#one', { button: 'middle' })]);
      assert.equal(count(), 3);
      assert.equal(new URL(tab.url()).pathname, '/');
      await tab.evaluate(() => {
        addEventListener('click', ({ timeStamp }) => sessionStorage.setItem('clicked', performance.timeOrigin + timeStamp), true);
        navigation.addEventListener('navigate', ({ timeStamp }) => sessionStorage.setItem('started', performance.timeOrigin + timeStamp));
      });
      await tab.click('#one');
      await tab.waitForURL('**/next');
      const [clicked, started] = await tab.evaluate(() => [+sessionStorage.getItem('clicked'), +sessionStorage.getItem('started')]);
      assert.ok(started - clicked < 500, `${started - clicked} ms`);
      const second = await t.open('/');
      await sleep(500);
      await second.frameLocator('iframe').locator('#two').click();
      await second.waitForURL('**/top');
      t.site.state.answer = undefined;
      for (const open of t.context.pages()) await t.leave(open);
      await sleep(300);
      const last = await t.open('/next');
      await last.evaluate(() => identity.flush());
      await sleep(3500);
      await t.leave(last);
      // What arrived counts, answered or not, each batch once.
      const arrived = new Map(t.site.posts().map(({ batch }) => [batch.batch_id, batch]));
      const own = [...arrived.values()].flatMap(({ events }) => events).filter(({ name }) => name === 'cta_clicked');
      assert.equal(own.filter(({ data }) => data?.plan === 'pro').length, 2, 'a click and a click with control');
      assert.equal(own.length, 3);
    },
  },
  {
    id: 11,
    name: 'a menu that opens on press, items that act on press',
    pages: {
      '/': page(`<button id="menu">Menu</button><div id="list"></div><p id="out">-</p><script>
        menu.onpointerdown = () => {
          list.innerHTML = '<button id="item">Item</button>';
          item.onmousedown = () => { list.textContent = ''; };
        };</script>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#menu');
      await sleep(600);
      await t.press(tab, '#item', 60);
      await sleep(3500);
      await t.leave(tab);
      t.expect({});
    },
  },
  {
    id: 12,
    name: 'a label over a hidden file input',
    pages: { '/': page('<label for="f" style="cursor:pointer;padding:9px;background:#ddd">Upload</label><input id="f" type="file" hidden>') },
    async run(t) {
      const tab = await t.open('/');
      tab.on('filechooser', () => {});
      await sleep(1200);
      await tab.click('label');
      await sleep(3500);
      await t.leave(tab);
      t.expect({});
    },
  },
  {
    id: 13,
    name: 'downloads by header',
    pages: {
      '/': page(`<a id="link" href="/file">File</a> <button id="script">File</button> ${inert('dull')}<script>script.onclick = () => { location = '/file'; }</script>`),
      '/file': (_request, response) => {
        response.setHeader('content-disposition', 'attachment; filename="a.txt"');
        response.end('text');
      },
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#link');
      await sleep(1500);
      await tab.click('#script');
      await sleep(3500);
      await tab.click('#dull');
      await sleep(3500);
      await t.leave(tab);
      t.expect({ dead_click: 1 });
      assert.match(t.site.events('dead_click')[0].data.selector, /dull/);
    },
  },
  {
    id: 14,
    name: 'a window opened by script',
    pages: { '/': page(`<button id="open">Open</button><script>document.getElementById('open').onclick = () => { window.opened = window.open('/other') }</script>`), '/other': '<p>other' },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#open');
      await sleep(3500);
      assert.equal(t.context.pages().length, 2);
      assert.equal(await tab.evaluate(() => typeof opened.close), 'function');
      await t.leave(tab);
      t.expect({});
    },
  },
  {
    id: 15,
    name: 'sounds',
    pages: {
      '/': page(`<audio id="sound" src="/sound" loop></audio>${inert('play')}<span data-identity-ignore>${inert('beep')}</span><script>
        play.onclick = () => { sound.play(); };
        beep.onclick = () => { new Audio('/sound').play(); };</script>`),
      '/sound': (_request, response) => {
        const rate = 8000;
        const wav = Buffer.alloc(44 + rate);
        wav.write('RIFF', 0);
        wav.writeUInt32LE(36 + rate, 4);
        wav.write('WAVEfmt ', 8);
        wav.writeUInt32LE(16, 16);
        wav.writeUInt16LE(1, 20);
        wav.writeUInt16LE(1, 22);
        wav.writeUInt32LE(rate, 24);
        wav.writeUInt32LE(rate, 28);
        wav.writeUInt16LE(1, 32);
        wav.writeUInt16LE(8, 34);
        wav.write('data', 36);
        wav.writeUInt32LE(rate, 40);
        wav.fill(128, 44);
        response.setHeader('content-type', 'audio/wav');
        response.end(wav);
      },
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#play');
      await sleep(1200);
      await tab.click('#beep');
      await sleep(3500);
      await t.leave(tab);
      t.expect({});
    },
  },
  {
    id: 16,
    name: 'a button that works at once, beside one that does not',
    pages: {
      '/': page(
        `${inert('works')}${inert('twin')}<script>works.onclick = (event) => { event.stopPropagation(); works.textContent = 'done'; }</script>`,
        { head: '<style>button { text-transform: uppercase }</style><script>addEventListener("click", () => { for (const t = performance.now(); performance.now() - t < 8;); }, true)</script>' },
      ),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#works');
      await sleep(3300);
      await tab.click('#twin');
      await sleep(3500);
      await t.leave(tab);
      t.expect({ dead_click: 1 });
      assert.equal(t.site.events('dead_click')[0].data.text, 'TWIN', 'as it is shown');
    },
  },
  {
    id: 17,
    name: 'what is dead and what is not',
    pages: {
      '/': page(`${inert('one')}<br><a id="two" href="#">two</a><div id="three" style="cursor:pointer;width:99px">three</div><a id="four" href="/nothing">four</a><p id="five" style="width:300px">A paragraph<br>of two lines</p><p id="six">selected</p>${inert('seven', 'onpointerdown="getSelection().removeAllRanges()"')}${inert('eight')}`),
      '/nothing': (_request, response) => {
        response.statusCode = 204;
        response.end();
      },
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      for (const id of ['one', 'two', 'three', 'four']) {
        await tab.click(`#${id}`);
        await sleep(3300);
      }
      await tab.mouse.click(...(await t.corner(tab, '#five')));
      await sleep(3500);
      await tab.mouse.click(...(await t.corner(tab, '#five')));
      await sleep(3500);
      await tab.dblclick('#six');
      await sleep(3500);
      // What a press takes away was its answer; the next one has none.
      await tab.click('#seven');
      await sleep(3300);
      await tab.click('#eight');
      await sleep(3500);
      await t.leave(tab);
      assert.deepEqual(t.site.events('dead_click').map(({ data }) => data.selector), ['#one', '#two', '#three', '#five', '#eight']);
      t.expect({ dead_click: 5 });
    },
  },
  {
    id: 18,
    name: 'fields, an editor, a canvas, and a button',
    pages: { '/': page(`<input id="field"><div id="editor" contenteditable style="height:50px">text</div><canvas id="canvas" width="99" height="50" style="background:#ccc"></canvas>${inert('dull')}`) },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#field');
      await tab.keyboard.type('abc');
      await tab.click('#editor');
      await sleep(200);
      await tab.click('#canvas');
      await sleep(1200);
      await tab.click('#dull');
      await sleep(3500);
      await t.leave(tab);
      assert.deepEqual(t.site.events('dead_click').map(({ data }) => data.selector), ['#dull']);
      t.expect({ dead_click: 1 });
    },
  },
  {
    id: 19,
    name: 'a button that scrolls, and a person who does',
    pages: { '/': page(`<div style="height:3000px"></div><div style="position:fixed;top:9px">${inert('top')}${inert('dull')}</div><script>document.getElementById('top').onclick = () => scrollTo(0, 0)</script>`) },
    async run(t) {
      const tab = await t.open('/');
      await tab.mouse.wheel(0, 1500);
      await sleep(1200);
      await tab.click('#top');
      await sleep(3300);
      await tab.click('#dull');
      await sleep(1500);
      await tab.mouse.wheel(0, 500);
      await sleep(2200);
      await t.leave(tab);
      assert.deepEqual(t.site.events('dead_click').map(({ data }) => data.selector), ['#dull']);
      t.expect({ dead_click: 1 });
    },
  },
  {
    id: 20,
    name: 'clicks around a visit to another tab',
    pages: { '/': page(inert('dull')) },
    visibility: 'visible',
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#dull');
      await sleep(200);
      await tab.evaluate(() => emulate.visibility('hidden'));
      await sleep(5000);
      await tab.evaluate(() => emulate.visibility('visible'));
      await sleep(300);
      await tab.click('#dull');
      await sleep(2000);
      const before = Date.now();
      await tab.click('#dull');
      await sleep(3500);
      await t.leave(tab);
      t.expect({ dead_click: 1 });
      assert.ok(t.site.events('dead_click')[0].created_at >= before - 50);
    },
  },
  {
    id: 21,
    name: 'words selected by double and triple clicks',
    pages: { '/': page('<p id="text" style="width:400px">Some words to be selected here</p>') },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      const [x, y] = await t.corner(tab, '#text');
      await tab.mouse.dblclick(x + 20, y);
      await sleep(1500);
      await tab.mouse.click(x + 60, y, { clickCount: 3 });
      await sleep(1500);
      await tab.mouse.click(x + 90, y, { clickCount: 3 });
      await sleep(3500);
      await t.leave(tab);
      t.expect({});
    },
  },
  {
    id: 22,
    name: 'a stepper up to its limit, and beyond',
    pages: { '/': page(`<button id="plus">+</button><b id="count">0</b><script>plus.onclick = () => { if (+count.textContent < 5) count.textContent++; }</script>`) },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await t.hammer(tab, '#plus', 5, 200);
      await sleep(2000);
      await t.hammer(tab, '#plus', 5, 200);
      await sleep(3500);
      await t.leave(tab);
      t.expect({ rage_click: 1 });
      assert.ok(t.site.events('rage_click')[0].data.clicks >= 3);
    },
  },
  {
    id: 23,
    name: 'a carousel and a switch',
    pages: {
      '/': page(`<div id="track" style="width:200px;transition:transform .3s">track</div><button id="next">next</button><button id="switch" class="switch">switch</button><script>
        let at = 0;
        next.onclick = () => { track.style.transform = 'translateX(' + -(++at * 10) + 'px)'; };
        document.getElementById('switch').onclick = ({ currentTarget }) => currentTarget.classList.toggle('on');</script>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await t.hammer(tab, '#next', 6, 180);
      await sleep(3300);
      await t.hammer(tab, '#switch', 4, 200);
      await sleep(3500);
      await t.leave(tab);
      t.expect({});
    },
  },
  {
    id: 24,
    name: 'a ripple that is all that happens, and a disabled button',
    pages: {
      '/': page(`${inert('ripple')}<button id="off" disabled>off</button><script>ripple.onclick = () => {
        const span = document.createElement('span');
        ripple.append(span);
        setTimeout(() => span.remove(), 150);
      }</script>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await t.hammer(tab, '#ripple', 6, 160);
      await sleep(3300);
      await t.hammer(tab, '#off', 6, 200);
      await sleep(3300);
      await tab.mouse.click(...(await t.center(tab, '#ripple')));
      await sleep(3300);
      await tab.mouse.click(...(await t.center(tab, '#off')));
      await sleep(3500);
      await t.leave(tab);
      t.expect({ rage_click: 2, dead_click: 1 });
      assert.deepEqual(t.site.events('rage_click').map(({ data }) => data.selector), ['#ripple', '#off']);
      assert.equal(t.site.events('dead_click')[0].data.selector, '#ripple');
    },
  },
  {
    id: 25,
    name: 'a button pushed away by a message',
    pages: {
      '/': page(`<form id="f" onsubmit="return false"><input id="name"><div id="error"></div><button id="send">Submit</button></form><script>
        document.getElementById('name').onblur = () => { error.innerHTML = '<p style="height:60px">Required</p>'; };</script>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      await tab.click('#name');
      await sleep(600);
      await t.press(tab, '#send', 80);
      await sleep(3500);
      await t.leave(tab);
      t.expect({ phantom_click: 1 });
      const { data } = t.site.events('phantom_click')[0];
      assert.deepEqual([data.reason, data.selector, data.text], ['moved', '#send', 'Submit']);
    },
  },
  ...[false, true].map((isTouch) => ({
    id: isTouch ? '26b' : 26,
    name: `a banner that shifts two buttons before the ${isTouch ? 'tap' : 'click'}`,
    context: isTouch ? { hasTouch: true } : {},
    pages: {
      '/': page(`<div id="top"></div><button id="first" style="display:block;height:60px;width:200px">first</button><button id="second" style="display:block;height:60px;width:200px">second</button><script>
        second.onclick = first.onclick = ({ currentTarget }) => { currentTarget.textContent += '!'; };
        window.shift = () => { const banner = document.createElement('div'); banner.style.height = '60px'; banner.textContent = 'banner'; document.getElementById('top').append(banner); }</script>`),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(1200);
      const [x, y] = await t.center(tab, '#second');
      if (!isTouch) await tab.mouse.move(x, y, { steps: 3 });
      await sleep(700);
      const done = tab.evaluate(
        () =>
          new Promise((resolve) => {
            shift();
            requestAnimationFrame(() => setTimeout(resolve, 40));
          }),
      );
      await done;
      if (isTouch) await tab.touchscreen.tap(x, y);
      else await tab.mouse.click(x, y);
      await sleep(3500);
      await t.leave(tab);
      t.expect({ phantom_click: 1 });
      const { data } = t.site.events('phantom_click')[0];
      assert.deepEqual([data.reason, data.selector], ['shifted', '#second']);
    },
  })),
  {
    id: 27,
    name: 'errors that are not the site’s, and one that is',
    pages: {
      '/': page(`<img src="/missing.png" alt=""><script>
        addEventListener('load', () => setTimeout(() => {
          dispatchEvent(new ErrorEvent('error', { message: 'ResizeObserver loop completed with undelivered notifications.' }));
          dispatchEvent(new ErrorEvent('error', { message: 'Script error.' }));
          const foreign = new Error('foreign');
          foreign.stack = 'Error: foreign\\n at f (moz-extension://1234/content.js:1:2)';
          dispatchEvent(new ErrorEvent('error', { message: 'Uncaught Error: foreign', filename: 'moz-extension://1234/content.js', lineno: 1, error: foreign }));
          dispatchEvent(new ErrorEvent('error', { message: 'Uncaught Error: foreign', error: foreign }));
          setTimeout(() => { undefined.missing; });
        }, 300));</script>`),
    },
    async run(t) {
      const tab = await t.open('/?token=secret');
      await sleep(1200);
      await t.leave(tab);
      t.expect({ js_exception: 1 });
      const { data } = t.site.events('js_exception')[0];
      assert.match(data.message, /^TypeError: /);
      assert.equal(data.source, '/');
      assert.ok(data.line > 0 && data.column > 0 && data.stack);
      assert.ok(!JSON.stringify(data).includes('secret'));
    },
  },
  {
    id: 28,
    name: 'loops of errors, and rejections of all kinds',
    pages: { '/': page('<h1>errors</h1>') },
    async run(t) {
      const tab = await t.open('/');
      await sleep(500);
      await tab.addScriptTag({
        content: `for (let n = 0; n < 1000; n++) setTimeout(() => { throw new Error('again'); });
          setTimeout(() => { throw new RangeError('another'); });
          Promise.reject();
          Promise.reject({ b: 1, a: 2 });
          Promise.reject('Object Not Found Matching Id:3, MethodName:update, ParamCount:4');`,
      });
      await sleep(1500);
      await t.leave(tab);
      t.expect({ js_exception: 2, promise_rejection: 2 });
      assert.deepEqual(t.site.events('promise_rejection').map(({ data }) => data.message).sort(), ['Rejected with {a, b}', 'Rejected without reason']);
    },
  },
  {
    id: 29,
    name: 'hooks that log, and data of all kinds',
    pages: { '/': page('<h1>api</h1>', { attributes: 'data-local' }) },
    async run(t) {
      const tab = await t.open('/');
      const logged = [];
      tab.on('console', (message) => logged.push(message.text()));
      await sleep(300);
      await tab.evaluate(() => {
        identity.before((event) => {
          console.error('seen');
          return event;
        });
        const cycle = { a: 1 };
        cycle.self = cycle;
        identity.track('cycle', cycle);
        identity.track('big', { big: 10n, list: [1n] });
        identity.track('getter', { get bad() { throw new Error('bad'); }, good: 1 });
        identity.track('huge', { text: 'x'.repeat(300_000), list: Array.from({ length: 9000 }, () => 'y'.repeat(900)) });
        identity.track('Camel Case-name', { nan: NaN, half: '\ud83d', f() {}, node: document.body });
        identity.track('', {});
        identity.track(Symbol.iterator, 5);
        identity.page(Symbol());
        identity.identify({});
        identity.before(5);
        identity.before((event) => {
          console.error('seen');
          return event;
        });
        return identity.flush();
      });
      await sleep(300);
      await t.leave(tab);
      assert.ok(logged.filter((text) => text === 'seen').length >= 5);
      assert.ok(t.site.posts().every(({ status }) => status === 202));
      const names = t.site.events().map(({ name }) => name);
      for (const name of ['cycle', 'big', 'getter', 'camel_case_name']) assert.ok(names.includes(name), name);
      assert.equal(names.filter((name) => name === 'console_error').length, 1);
      assert.equal(t.site.events('getter')[0].data.good, 1);
    },
  },
  ...Object.entries({
    left: { act: () => {}, abandons: 1 },
    ajax: { act: (tab) => tab.click('#send'), abandons: 0 },
    script: { act: (tab) => tab.evaluate(() => document.getElementById('sign-up').submit()), abandons: 0 },
    hidden: {
      act: async (tab) => {
        await tab.evaluate(() => emulate.visibility('hidden'));
        await sleep(300);
        await tab.evaluate(() => emulate.visibility('visible'));
        await sleep(300);
        await tab.click('#send');
      },
      abandons: 0,
    },
    search: { path: '/search', act: () => {}, abandons: 0 },
    autofill: { isFilled: true, act: () => {}, abandons: 0 },
  }).map(([variant, { act, abandons, path = '/', isFilled }]) => ({
    id: variant === 'left' ? 30 : `30 ${variant}`,
    name: `a sign-up form: ${variant}`,
    pages: {
      '/': page(`<form id="sign-up" action="/sent" onsubmit="event.preventDefault()"><input id="mail" name="email" type="email"><input id="pass" name="password" type="password"><input id="card" name="card" autocomplete="cc-number"><button id="send">Send</button></form>`),
      '/search': page('<form role="search"><input id="mail" name="q" type="search"><button>Go</button></form>'),
      '/sent': page('<h1>sent</h1>'),
    },
    visibility: 'visible',
    async run(t) {
      const tab = await t.open(path);
      await sleep(500);
      const secrets = ['ana.secret@example.com', 'hunter2secret', '4111111111111111'];
      const fields = path === '/' ? ['#mail', '#pass', '#card'] : ['#mail'];
      for (const [index, field] of fields.entries()) {
        if (isFilled) {
          await tab.evaluate((field) => document.querySelector(field).focus(), field);
          await tab.keyboard.insertText(secrets[index]);
        } else {
          await tab.click(field);
          await tab.keyboard.type(secrets[index]);
        }
      }
      await act(tab);
      await sleep(500);
      await t.leave(tab);
      assert.equal(t.site.events('form_abandon').length, abandons);
      if (abandons) assert.deepEqual([t.site.events('form_abandon')[0].data.form, t.site.events('form_abandon')[0].data.last_field], ['sign-up', 'card']);
      const sent = t.site.posts().map(({ text }) => text).join();
      for (const secret of secrets) assert.ok(!sent.includes(secret), secret);
    },
  })),
  {
    id: 31,
    isForBoth: true,
    name: 'secrets in addresses and on pages',
    pages: {
      '/reset/9f86d081884c7d659a2feaa0': page(`<button id="open">open</button><div id="pop" hidden style="position:absolute;top:60px;padding:20px">Jane Roe, 42 Elm Street</div><a id="go" href="/next" style="position:absolute;top:400px">next</a><script>
        document.getElementById('open').onclick = () => { pop.hidden = false; };
        addEventListener('click', ({ target }) => { if (target === document.body || target === document.documentElement) pop.hidden = true; });</script>`, { head: '<meta name="referrer" content="unsafe-url">' }),
      '/next': page('<h1>next</h1>'),
    },
    async run(t) {
      const tab = await t.open('/reset/9f86d081884c7d659a2feaa0?email=a@b.c#token=deadbeef');
      await sleep(1200);
      await tab.click('#open');
      await sleep(1200);
      await tab.mouse.click(700, 600);
      await sleep(1200);
      await tab.click('#go');
      await tab.waitForURL('**/next');
      await sleep(500);
      await t.leave(tab);
      t.expectViews(['/reset/*', '/next']);
      const sent = t.site.posts().map(({ text, headers }) => text + JSON.stringify(headers)).join();
      for (const secret of ['9f86d0', 'a@b.c', 'a%40b', 'deadbeef', 'Jane', 'Elm']) assert.ok(!sent.includes(secret), secret);
      t.expect({});
    },
  },
  {
    id: 32,
    isForBoth: true,
    name: 'a collector that fails, and works again',
    pages: { '/': page('<h1>hello</h1>') },
    clock: true,
    async run(t) {
      const answers = [503, 503, 'drop'];
      t.site.state.answer = () => answers.shift() ?? 'drop';
      const tab = await t.open('/');
      await t.pass(tab, 4000);
      await t.pass(tab, 7000);
      await t.pass(tab, 40_000);
      await t.leave(tab);
      const failed = t.site.posts().map(({ batch }) => batch);
      assert.ok(failed.length >= 3);
      assert.ok(failed.slice(0, 3).every(({ batch_id }) => batch_id === failed[0].batch_id));
      t.site.state.answer = undefined;
      const count = t.site.posts().length;
      const tabs = [await t.open('/'), await t.open('/')];
      for (const other of tabs) await t.pass(other, 10 * 60_000);
      await sleep(500);
      for (const other of tabs) await t.leave(other);
      const again = t.site.posts().slice(count).map(({ batch }) => batch).filter(({ batch_id }) => batch_id === failed[0].batch_id);
      assert.ok(again.length >= 1, 'it is sent again');
      assert.ok(again[0].sent_at > failed[0].sent_at);
      assert.deepEqual(again[0].events.map(({ created_at }) => created_at), failed[0].events.map(({ created_at }) => created_at));
      assert.equal(t.site.requests.filter(({ method }) => method === 'OPTIONS').length, 0);
      assert.equal(t.site.batches().filter(({ batch_id }) => batch_id === failed[0].batch_id).length, 1);
    },
  },
  {
    id: 33,
    isForBoth: true,
    name: 'a new tab, then half an hour without input',
    pages: { '/': page('<a id="go" href="/b">b</a>'), '/b': page('<p id="p">b</p>') },
    clock: true,
    async run(t) {
      const tab = await t.open('/');
      await t.pass(tab, 4000);
      const [other] = await Promise.all([t.context.waitForEvent('page'), tab.click('#go', { modifiers: ['Control'] })]);
      await other.waitForLoadState();
      await t.pass(other, 16_000);
      await sleep(200);
      const first = t.expectViews(['/', '/b']);
      assert.equal(first[0].session, first[1].session);
      await t.leave(tab);
      const count = t.site.posts().length;
      await t.pass(other, 31 * 60_000);
      await sleep(300);
      assert.equal(t.site.posts().length, count, 'no heartbeat while idle');
      await other.mouse.click(300, 300);
      await t.pass(other, 4000);
      await sleep(300);
      await t.leave(other);
      const views = t.expectViews(['/', '/b', '/b']);
      assert.notEqual(views[2].session, views[0].session);
    },
  },
  ...Object.entries({
    frame: true,
    'no beacon': true,
    'no fetch': false,
  }).map(([variant, delivers]) => ({
    id: variant === 'frame' ? 34 : `34 ${variant}`,
    isForBoth: true,
    name: `a hostile page: ${variant}`,
    pages: {
      '/': variant === 'frame' ? '<iframe sandbox="allow-scripts" src="/inner" width="600" height="400"></iframe>' : page('<button id="b" onclick="this.textContent+=1">b</button>'),
      '/inner': page('<button id="b" onclick="this.textContent+=1">b</button>', { attributes: 'data-frames' }),
      '/next': '<p>next</p>',
    },
    async run(t) {
      if (variant === 'no beacon') await t.context.addInitScript(() => delete Navigator.prototype.sendBeacon);
      if (variant === 'no fetch') await t.context.addInitScript(() => (window.fetch = () => { throw new Error('no'); }));
      const tab = await t.open('/');
      const failures = [];
      tab.on('pageerror', (error) => failures.push(error));
      await tab.evaluate(() => addEventListener('pageshow', ({ persisted }) => (window.isPersisted = persisted)));
      await sleep(500);
      await (variant === 'frame' ? tab.frameLocator('iframe').locator('#b') : tab.locator('#b')).click();
      await sleep(3500);
      await tab.evaluate(() => { location = '/next'; });
      await tab.waitForURL('**/next');
      await sleep(500);
      await t.back(tab, '/');
      assert.equal(await tab.evaluate(() => window.isPersisted), true, 'the page was kept in the back/forward cache');
      await t.leave(tab);
      assert.deepEqual(failures, []);
      if (delivers) assert.ok(t.site.events('page_view').length >= 1);
      t.expect({});
    },
  })),
  {
    id: 35,
    name: 'an application’s pane that grows',
    pages: {
      '/': page(`<main id="pane" style="position:fixed;inset:0;overflow:auto"><div id="long" style="height:1600px">text</div></main><script>setTimeout(() => { long.style.height = '3200px'; }, 2000)</script>`, { head: '<style>body{margin:0}</style>' }),
    },
    visibility: 'visible',
    clock: true,
    async run(t) {
      const tab = await t.open('/');
      await t.pass(tab, 1000);
      await tab.mouse.move(300, 300);
      await t.pass(tab, 1000);
      await tab.mouse.wheel(0, 400);
      await sleep(200);
      await t.pass(tab, 1000);
      await tab.mouse.move(310, 300);
      await tab.evaluate(() => emulate.focus(false));
      await t.pass(tab, 60_000);
      await t.leave(tab);
      const { data } = t.site.events('reading_behavior')[0];
      assert.ok(data.active_time_ms >= 2900 && data.active_time_ms <= 9000, `${data.active_time_ms}`);
      assert.ok(data.total_time_ms - data.active_time_ms >= 59_500 && data.total_time_ms - data.active_time_ms <= 80_000, `${data.total_time_ms}`);
      assert.ok(data.scroll_depth >= 25 && data.scroll_depth <= 50, `${data.scroll_depth}`);
      t.expect({});
    },
  },
  {
    id: 36,
    isForBoth: true,
    name: 'three pages, carried from one to the next',
    pages: { '/a': page('<a id="go" href="/b">b</a>'), '/b': page('<a id="go" href="/c">c</a>'), '/c': page('<h1>c</h1>') },
    clock: true,
    async run(t) {
      const tab = await t.open('/a');
      for (const next of ['/b', '/c']) {
        await t.pass(tab, 20_000);
        await sleep(200);
        await tab.click('#go');
        await tab.waitForURL(`**${next}`);
      }
      await t.pass(tab, 20_000);
      await sleep(200);
      await t.leave(tab);
      t.expectViews(['/a', '/b', '/c']);
      assert.equal(t.site.posts().length, 4);
      if (!t.isLite) assert.deepEqual(t.site.events('reading_behavior').map(({ data }) => data.url), ['/a', '/b', '/c']);
      const instants = t.site.events().filter(({ name }) => name === 'page_view').map(({ created_at }) => created_at);
      assert.deepEqual(instants, [...instants].sort((a, b) => a - b));
      t.expect({});
    },
  },
  {
    id: '36b',
    name: 'a page without the tracker in between',
    pages: { '/a': page('<a id="go" href="/x">x</a>'), '/x': '<a id="go" href="/b">b</a>', '/b': page('<a id="go" href="/c">c</a>'), '/c': page('<h1>c</h1>') },
    clock: true,
    async run(t) {
      const tab = await t.open('/a');
      await t.pass(tab, 20_000);
      await sleep(200);
      await tab.click('#go');
      await tab.waitForURL('**/x');
      const before = t.site.posts().length;
      assert.equal(before, 1);
      await t.pass(tab, 120_000);
      const second = tab;
      await second.click('#go');
      await second.waitForURL('**/b');
      await t.pass(second, 20_000);
      await sleep(300);
      const alone = t.site.posts().slice(before).map(({ batch }) => batch);
      assert.ok(alone.some(({ events }) => events.length && events.every(({ data }) => data?.url === '/a')), 'the stale one is sent alone');
      const count = t.site.posts().length;
      await second.click('#go');
      await second.waitForURL('**/c');
      await sleep(500);
      assert.equal(t.site.posts().length, count + 1, 'then nothing is carried');
      await t.leave(second);
      t.expectViews(['/a', '/b', '/c']);
    },
  },
  {
    id: 'logs',
    name: 'where something was logged',
    pages: {
      '/': page(`<script>
        addEventListener('load', () => setTimeout(() => {
          console.error('%s is broken', 'it', { secret: 1 });
          console.warn('careful');
          console.warn('careful');
          const error = new RangeError('too far');
          console.error(error);
        }, 300));</script>`, { attributes: 'data-local' }),
    },
    async run(t) {
      const tab = await t.open('/?token=secret');
      await sleep(1200);
      await t.leave(tab);
      t.expect({ console_error: 2, console_warning: 1 });
      const [broken, far] = t.site.events('console_error').map(({ data }) => data);
      assert.equal(broken.message, 'it is broken [Object]');
      assert.equal(far.message, 'RangeError: too far');
      for (const { data } of [...t.site.events('console_error'), ...t.site.events('console_warning')]) {
        assert.equal(data.source, '/', 'the page, not the tracker');
        assert.ok(data.line > 0 && data.column > 0 && data.stack);
        assert.ok(!/identity|secret/.test(data.stack), data.stack);
      }
    },
  },
  {
    id: 'zone',
    name: 'a page whose observers are patched',
    pages: {
      '/': page(`${inert('dull')}${inert('works')}<script>works.onclick = () => { works.textContent = 'done'; }</script>`, {
        head: `<script>
          window.__zone_symbol__MutationObserver = MutationObserver;
          window.MutationObserver = class extends MutationObserver { constructor(fn) { super(fn); window.patched = (window.patched ?? 0) + 1; } };
          window.Zone = { __symbol__: (name) => '__zone_symbol__' + name };</script>`,
      }),
    },
    async run(t) {
      const tab = await t.open('/');
      await sleep(2500);
      const before = await tab.evaluate(() => window.patched ?? 0);
      await tab.click('#works');
      await sleep(3300);
      await tab.click('#dull');
      await sleep(3500);
      assert.equal(await tab.evaluate(() => window.patched ?? 0), before, 'the page\'s own observer is taken');
      await t.leave(tab);
      t.expect({ dead_click: 1 });
      assert.equal(t.site.events('dead_click')[0].data.text, 'dull');
    },
  },
];
