// What pages of other origins get with the cookie of somebody who is signed in: nothing, and they change nothing.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { settle, signIn } from './browser.mjs';

/** What is managed, to see that nothing of it was changed. */
const managed = (tab, project) =>
  tab.evaluate(async (project) => {
    const list = async (path) => (await (await fetch(`/manage/v1/${path}`)).json()).data;
    const [projects, keys, people] = await Promise.all([list('projects'), list(`keys?project=${project}`), list('people')]);
    // Meanwhile others come and go, and use keys.
    const known = people.map(({ label }) => label).filter((label) => ['victim', 'mallory'].includes(label));
    return JSON.stringify([projects, keys.map(({ last_used_at, ...key }) => key), known]);
  }, project);

export const crossSite = (given) =>
  describe('pages of other origins', () => {
    let target;
    let context;
    let tab;
    let server;
    let untouched;
    let answers;
    /** How many requests of each origin had the cookie. */
    const cookiesOf = {};
    /** A page of the same site, whose requests have the cookie, and one of another, whose have not. */
    const origins = [];
    before(async () => {
      target = given().target;
      server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>evil</title>'));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address();
      origins.push(`http://127.0.0.1:${port}`, `http://evil.localhost:${port}`);
      for (const origin of origins) cookiesOf[origin] = 0;
      ({ context, tab } = await signIn(given().browser, target, { label: 'victim' }));
      untouched = await managed(tab, target.project);
    });
    after(async () => {
      await context.close();
      server.closeAllConnections();
      server.close();
    });

    /** Does something on a page of each other origin, and hands what it found to `check`. */
    const attack = async (act, check) => {
      for (const origin of origins) {
        const page = await context.newPage();
        answers = [];
        context.on('response', remember);
        await page.goto(`${origin}/`);
        await check(await page.evaluate(act, { origin: target.origin, project: target.project }));
        context.off('response', remember);
        assert.ok(answers.length);
        for (const response of answers) {
          const request = response.request();
          assert.ok([401, 403, 405].includes(response.status()), `${request.method()} ${request.url()} from ${origin}: ${response.status()}`);
          if ((await request.allHeaders()).cookie) cookiesOf[origin]++;
        }
        for (const opened of context.pages()) if (opened !== tab) await opened.close();
      }
      assert.equal(await managed(tab, target.project), untouched);
      await tab.reload();
      await settle(tab);
      assert.ok((await tab.locator('.account').innerText()).includes('victim'));
    };
    const remember = (response) => {
      const { pathname } = new URL(response.url());
      const isFrom = response.request().frame()?.page() !== tab;
      if (isFrom && response.url().startsWith(target.origin) && /^\/(api|manage)\//.test(pathname)) answers.push(response);
    };

    it('send forms in vain', async () => {
      await attack(
        async ({ origin, project }) => {
          const bodies = {
            people: { label: 'mallory', role: 'admin', projects: null },
            keys: { project, kind: 'secret', label: 'mallory' },
            projects: { id: 'mallory' },
            'sign-out': {},
            'sign-in': { token: 'x'.repeat(43) },
          };
          let sent = 0;
          for (const [path, body] of Object.entries(bodies)) {
            for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
              const frame = document.createElement('iframe');
              frame.name = `frame${sent}`;
              const form = document.createElement('form');
              Object.assign(form, { method: 'POST', action: `${origin}/manage/v1/${path}`, enctype, target: frame.name });
              const input = document.createElement('input');
              // As plain text, name=value makes JSON.
              const text = JSON.stringify({ ...body, ignored: '' }).slice(0, -2);
              Object.assign(input, { name: text, value: '"}' });
              form.append(input);
              document.body.append(frame, form);
              const loaded = new Promise((resolve) => (frame.onload = resolve));
              form.submit();
              await loaded;
              sent++;
            }
          }
          return sent;
        },
        (sent) => {
          assert.equal(sent, 15);
          assert.ok(answers.length >= sent, String(answers.length));
        },
      );
    });

    it('fetch in vain, in every mode', async () => {
      await attack(
        async ({ origin, project }) => {
          const json = { 'Content-Type': 'application/json' };
          const plain = { 'Content-Type': 'text/plain' };
          const invitation = JSON.stringify({ label: 'mallory', role: 'admin', projects: null });
          const attempts = [
            ['/api/v1/stats', {}],
            ['/api/v1/stats', { headers: { 'Identity-Project': project } }],
            ['/api/v1/visitors', { headers: { 'Identity-Project': project } }],
            ['/manage/v1/me', {}],
            ['/manage/v1/people', {}],
            [`/manage/v1/keys?project=${project}`, {}],
            ['/manage/v1/people', { method: 'POST', headers: json, body: invitation }],
            ['/manage/v1/people', { method: 'POST', headers: plain, body: invitation }],
            ['/manage/v1/keys', { method: 'POST', headers: plain, body: JSON.stringify({ project, kind: 'secret' }) }],
            ['/manage/v1/sign-out', { method: 'POST', headers: plain, body: '{}' }],
            ['/manage/v1/sign-out', { method: 'POST', headers: json, body: '{}' }],
            [`/manage/v1/projects/${project}`, { method: 'PATCH', headers: json, body: '{"name":"mallory"}' }],
            ['/manage/v1/people/x', { method: 'DELETE', headers: json, body: '{}' }],
            ['/manage/v1/me', { headers: { 'Sec-Fetch-Site': 'same-origin' } }],
          ];
          const outcomes = [];
          for (const mode of ['cors', 'no-cors']) {
            for (const [path, init] of attempts) {
              outcomes.push(
                await fetch(origin + path, { credentials: 'include', mode, ...init }).then(
                  async (response) => `${response.type} ${await response.text()}`,
                  () => 'blocked',
                ),
              );
            }
          }
          outcomes.push(navigator.sendBeacon(`${origin}/manage/v1/people`, invitation) ? 'opaque ' : 'blocked');
          navigator.sendBeacon(`${origin}/manage/v1/sign-out`, new Blob(['{}'], { type: 'text/plain' }));
          return outcomes;
        },
        (outcomes) =>
          assert.deepEqual(
            outcomes.filter((outcome) => !['blocked', 'opaque '].includes(outcome)),
            [],
          ),
      );
    });

    it('read nothing as a picture, a script, a style or an object', async () => {
      await attack(
        async ({ origin, project }) => {
          const found = [];
          const names = Object.keys(window);
          for (const path of ['/api/v1/stats', '/api/v1/visitors', '/manage/v1/me', '/manage/v1/people', `/manage/v1/keys?project=${project}`]) {
            for (const [tag, attribute] of Object.entries({ img: 'src', script: 'src', link: 'href', object: 'data', embed: 'src', audio: 'src' })) {
              const element = document.createElement(tag);
              if (tag === 'link') element.rel = 'stylesheet';
              const outcome = new Promise((resolve) => {
                element.onload = () => resolve('loaded');
                element.onerror = () => resolve('failed');
              });
              element[attribute] = origin + path;
              document.body.append(element);
              // An embedded document loads whatever it is; it must be nothing to read.
              const ended = ['embed', 'object'].includes(tag) ? 'failed' : await outcome;
              if (ended !== 'failed') found.push(`${tag} ${path} ${ended}`);
            }
          }
          found.push(...Object.keys(window).filter((name) => !names.includes(name) && !/^\d+$/.test(name)));
          return found;
        },
        (found) => assert.deepEqual(found, []),
      );
    });

    it('did all that with the cookie, where they are of the same site', () => {
      const [same, other] = origins.map((origin) => cookiesOf[origin]);
      assert.ok(same > 0);
      assert.equal(other, 0);
    });

    it('cannot frame the page', async () => {
      for (const origin of origins) {
        const page = await context.newPage();
        await page.goto(`${origin}/`);
        const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
        await page.evaluate((url) => {
          const frame = document.createElement('iframe');
          frame.src = url;
          document.body.append(frame);
        }, `${target.origin}/`);
        await refused;
        await page.close();
      }
    });

    it('have nothing of a window that they open', async () => {
      for (const origin of origins) {
        for (const path of ['/', '/api/v1/stats', '/manage/v1/people']) {
          const page = await context.newPage();
          await page.goto(`${origin}/`);
          const popup = context.waitForEvent('page');
          await page.evaluate((url) => (window.opened = window.open(url)), target.origin + path);
          const opened = await popup;
          if (path === '/') {
            await opened.waitForFunction(() => document.querySelector('main .panel'));
            assert.equal(await opened.evaluate(() => window.opener), null);
            assert.equal(await page.evaluate(() => window.opened.closed), true, 'it is another browsing context group');
          } else {
            await opened.waitForLoadState();
            assert.match(await opened.locator('body').innerText(), /"status":40[13]/);
          }
          const isReadable = await page.evaluate(() => {
            try {
              return !!window.opened.document.body.innerText;
            } catch {
              return false;
            }
          });
          assert.equal(isReadable, false);
          await opened.close();
          await page.close();
        }
      }
    });
  });
