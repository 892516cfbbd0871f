// Hostile data that goes the whole way: sent as a tracker would, stored, counted, answered and shown.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PAGES, signIn, visit } from './browser.mjs';
import { CORPUS, inspect } from './corpus.mjs';
import { readTable, showAll } from './tables.mjs';
import { watch } from './watch.mjs';

const PROJECT = 'hostile';
/** Of each text, so that a batch with it everywhere is not too large. */
const MOST = 600;
/** Of rankings: what is longer is cut. */
const KEY = 256;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

/** The same text wherever a batch has one. */
const batchOf = (whole, index) => {
  const now = Date.now();
  const text = whole.slice(0, MOST);
  const short = whole.slice(0, 256);
  const event = (name, data) => ({ name, url: text, created_at: now - 1000, data: { url: text, ...data } });
  const error = { message: text, source: text, stack: text, line: 1, column: 1 };
  const click = { selector: text, text };
  return {
    batch_id: `hostile_${index}`,
    sent_at: now,
    page: text,
    visitor: { visitor_id: `v_hostile_${index}`, fingerprint_hash: short, timezone: short, language: short, aliases: [short], screen_width: 4_294_967_295, screen_height: 0 },
    session: {
      session_id: `ses_hostile_${index}`,
      started_at: now - 2000,
      url: text,
      referrer: text,
      ...Object.fromEntries(['source', 'medium', 'campaign', 'term', 'content'].map((name) => [`utm_${name}`, whole.slice(0, 512)])),
      max_scroll_depth: 100,
    },
    events: [
      event('page_view', { title: text }),
      ...['rage_click', 'dead_click', 'phantom_click'].map((name) => event(name, click)),
      ...['js_exception', 'promise_rejection', 'console_error', 'console_warning'].map((name) => event(name, error)),
      event('form_abandon', { form: text, last_field: text, time_spent_ms: 5000 }),
      event('field_hesitation', { form: text, field: text, hesitation_ms: 4000 }),
      event('reading_behavior', { scroll_depth: 50, active_time_ms: 5000, total_time_ms: 9000, scroll_velocity: 12 }),
      event('seo_diagnostics', { title: text, title_length: 5, meta_description_length: 0, h1_count: 0, images_missing_alt: 0, issues: [text] }),
      event('web_vitals', { lcp: 900, cls: 0.1, inp: 40, fcp: 500, ttfb: 80 }),
      event('frustration_score', { score: 90 }),
      event('own_event', { [text]: text, nested: { [text]: [text] } }),
    ],
  };
};

export const collected = (given) =>
  describe('hostile data that was collected is text', () => {
    let target;
    let context;
    let tab;
    let watched;
    before(async () => {
      target = given().target;
      ({ context, tab } = await signIn(given().browser, target));
      watched = watch(tab, target);
      const key = await tab.evaluate(async (id) => {
        const post = async (path, body) =>
          (await fetch(`/manage/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })).json();
        await post('projects', { id, name: '"><script>alert(1)</script>', hosts: [] });
        return (await post('keys', { project: id, kind: 'public', label: '<img src=x onerror=alert(1)>' })).data.key;
      }, PROJECT);
      for (const [index, text] of CORPUS.entries()) {
        await target.collect({ ...batchOf(text, index), key }, `${FIREFOX} <img src=x onerror=alert(1)>`);
      }
      await tab.evaluate(
        async ([project, wanted]) => {
          for (;;) {
            const answer = await fetch('/api/v1/stats', { headers: { 'Identity-Project': project } });
            if ((await answer.json()).data?.total_sessions === wanted) return;
            await new Promise((resolve) => setTimeout(resolve, 250));
          }
        },
        [PROJECT, CORPUS.length],
      );
      await tab.reload();
    });
    after(() => context?.close());

    const look = async (page) => {
      await visit(tab, target, `#/${page}${page.includes('?') ? '&' : '?'}project=${PROJECT}`);
      await showAll(tab);
      assert.deepEqual(await inspect(tab), [], page);
    };

    it('on every page', async () => {
      for (const page of PAGES) await look(page);
      watched.assertQuiet();
    });

    it('of every visitor and in every session', async () => {
      for (const index of CORPUS.keys()) {
        await look(`visitors/v_hostile_${index}`);
        await look(`sessions/ses_hostile_${index}`);
      }
      watched.assertQuiet();
    });

    it('behind every link to the sessions of an element or an error', async () => {
      await look('frustration');
      const links = await tab.locator('main a[href*="at="]').evaluateAll((links) => links.map(({ hash }) => hash));
      assert.ok(links.length >= CORPUS.length, String(links.length));
      for (const link of links.slice(0, 12)) {
        await visit(tab, target, link);
        assert.deepEqual(await inspect(tab), [], link);
      }
      watched.assertQuiet();
    });

    it('to the letter', async () => {
      await look('pages');
      const shown = (await readTable(tab, 'Views')).map(([url]) => url);
      // Keys of rankings are cut, so that the longest is none of them.
      const { length } = CORPUS.filter((text) => text.length <= KEY && !shown.includes(text));
      assert.equal(length, 0);
      assert.equal(shown.length, CORPUS.length);
    });
  });
