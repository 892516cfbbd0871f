// Every figure that a page shows is the API's.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { visit } from './browser.mjs';
import { as, readFacts, readTable, showAll } from './tables.mjs';

const DAY = 86_400_000;
const dayOf = (instant) => new Date(instant).toISOString().slice(0, 10);

export const figures = (given) =>
  describe('figures are the API’s', () => {
    let tab;
    let target;
    /** Days that are over, as new visitors come to the demo site while this runs. */
    const to = dayOf(Date.now() - DAY);
    const from = dayOf(Date.now() - 21 * DAY);
    const earlier = `start_date=${dayOf(Date.now() - 42 * DAY)}&end_date=${dayOf(Date.now() - 22 * DAY)}`;
    const days = `start_date=${from}&end_date=${to}`;
    before(() => {
      ({ tab, target } = given());
    });

    const ask = async (path, query = '') => (await target.ask(`${path}?${days}&${query}`)).data;
    const show = async (page, params = {}) => visit(tab, target, `#/${page}?${new URLSearchParams({ project: target.project, from, to, ...params })}`);

    it('Overview', async () => {
      await show('');
      const now = await ask('stats', 'interval=day');
      const then = (await target.ask(`stats?${earlier}`)).data;
      const shown = await tab.evaluate(() =>
        Object.fromEntries(
          [...document.querySelectorAll('[data-figure]')].map((tile) => [
            tile.dataset.figure,
            [...tile.querySelectorAll('dd')].map(({ innerText }) => innerText.replace(/\s+/g, ' ')),
          ]),
        ),
      );
      const written = {
        total_visitors: as.number,
        total_sessions: as.number,
        total_page_views: as.number,
        bounce_rate: as.percent,
        avg_session_duration_ms: as.duration,
        avg_pages_per_session: as.decimal,
      };
      for (const [name, write] of Object.entries(written)) {
        const [value, change] = shown[name];
        assert.equal(value, write(now[name]), name);
        if (now[name] === then[name]) continue;
        const difference = name === 'bounce_rate' ? now[name] - then[name] : ((now[name] - then[name]) / then[name]) * 100;
        const text = then.total_sessions && (then[name] || name === 'bounce_rate') ? as.decimal(Math.abs(difference)) : 'none before';
        assert.ok(change.includes(text), `${name}: ${change} says ${text}`);
        assert.equal(change.includes('▲'), now[name] > then[name] && text !== 'none before', change);
      }
      const byDay = await readTable(tab, 'By day: Visitors');
      const series = new Map(now.series.map(({ date, visitors }) => [date, visitors]));
      assert.equal(byDay.length, 21);
      assert.deepEqual(
        byDay.map(([, value]) => value),
        Array.from({ length: 21 }, (_, n) => as.number(series.get(dayOf(Date.parse(from) + n * DAY)) ?? null)),
      );
      for (const [param, caption, key] of [
        ['sessions', 'Sessions', 'sessions'],
        ['page_views', 'Page views', 'page_views'],
        ['events', 'Events', 'events'],
      ]) {
        await show('', { chart: param });
        assert.deepEqual(
          (await readTable(tab, `By day: ${caption}`)).map(([, value]) => value),
          now.series.map((row) => as.number(row[key])),
        );
      }
      await show('', { from: '1970-01-01' });
      assert.equal((await readTable(tab, 'By day: Visitors')).length, (await target.ask(`stats?start_date=1970-01-01&end_date=${to}&interval=day`)).data.series.length);
      await show('', {});
      const { top_pages } = await ask('pages', 'limit=6');
      assert.deepEqual(
        await readTable(tab, 'Top pages'),
        top_pages.map(({ url, views }) => [url, as.number(views)]),
      );
      const { channels } = await ask('acquisition', 'limit=6');
      assert.deepEqual(
        await readTable(tab, 'Channels'),
        channels.map(({ channel, sessions }) => [channel, as.number(sessions)]),
      );
      const audience = await ask('audience', 'limit=6');
      assert.deepEqual(
        await readTable(tab, 'Countries'),
        audience.countries.map(({ country, visitors }) => [country, as.number(visitors)]),
      );
      assert.deepEqual(
        await readTable(tab, 'Browsers'),
        audience.browsers.map(({ browser, visitors }) => [browser, as.number(visitors)]),
      );
      const { rage_clicks } = await ask('insights/clicks', 'limit=3');
      assert.deepEqual(
        await readTable(tab, 'What frustrates most'),
        rage_clicks.map(({ selector, url, count, unique_visitors }) => [selector, url, as.number(count), as.number(unique_visitors)]),
      );
    });

    it('Live', async () => {
      await tab.goto('about:blank');
      const answer = tab.waitForResponse((response) => response.url().includes('/api/v1/live'));
      await visit(tab, target, '#/live');
      const { data, count } = await (await answer).json();
      await tab.waitForFunction((count) => document.querySelector('.panel > .note').textContent.startsWith(count), as.number(count));
      const rows = await readTable(tab, 'Here now');
      assert.deepEqual(
        rows.map(([visitor, page, , browser, place, session]) => [visitor, page, browser, place, session]),
        data.map((row) => [row.visitor_id, row.current_page, as.text(row.browser_name), as.list(row.geo_city, row.geo_country), row.session_id]),
      );
    });

    it('Visitors, in both of their pages and with each filter', async () => {
      const rowsOf = (list) =>
        list.map((row) => [
          row.visitor_id,
          as.instant(row.last_seen_at),
          as.date(row.first_seen_at),
          as.number(row.visit_count),
          as.list([row.browser_name, row.browser_version?.split('.')[0]].filter(Boolean).join(' ')),
          as.text(row.os),
          as.text({ 0: 'desktop', 1: 'mobile' }[row.mobile]),
          as.list(row.geo_city, row.geo_country),
        ]);
      for (const filter of [{}, { page: '2' }, { browser: 'firefox' }, { os: 'Windows' }, { country: 'DE' }, { search: 'berlin' }, { os: 'iOS', country: 'US' }]) {
        // The page's own answer: a visitor who is on the site may be seen again before another one.
        await tab.goto('about:blank');
        const answer = tab.waitForResponse((response) => response.url().includes('/api/v1/visitors?'));
        await show('visitors', filter);
        const { data, pagination } = await (await answer).json();
        assert.ok(data.length, JSON.stringify(filter));
        assert.deepEqual(await readTable(tab, 'Latest visit first'), rowsOf(data));
        const first = (pagination.page - 1) * 50 + 1;
        assert.equal(await tab.locator('.pager > span').first().innerText(), `${first}–${Math.min(pagination.total, first + 49)} of ${as.number(pagination.total)}`);
      }
    });

    it('a visitor', async () => {
      const {
        data: [{ visitor_id: id }],
      } = await target.ask(`insights/frustration?${days}&limit=1`).then(({ data }) => ({ data: data.scores }));
      await show(`visitors/${id}`);
      const { data } = await target.ask(`visitors/${id}`);
      const facts = await readFacts(tab);
      assert.equal(facts.Sessions, as.number(data.visit_count));
      assert.equal(facts['First seen'], as.instant(data.first_seen_at));
      assert.equal(facts['Last seen'], as.instant(data.last_seen_at));
      assert.equal(facts.Place, as.list(data.geo_city, data.geo_country));
      assert.equal(facts.Screen, data.screen_width ? `${data.screen_width} × ${data.screen_height}` : as.text(null));
      assert.equal(facts['Bot score'], as.number(data.bot_score));
      await showAll(tab);
      assert.deepEqual(
        await readTable(tab, 'Sessions'),
        data.sessions.map(({ started_at, url, duration_ms }) => [as.instant(started_at), as.text(url), as.duration(duration_ms)]),
      );
      const events = await readTable(tab, 'Latest events');
      assert.equal(events.length, data.events.length);
    });

    it('Sessions, in two of their pages and with each filter', async () => {
      const rowsOf = (list) =>
        list.map((row) => [
          as.instant(row.started_at),
          row.visitor_id,
          as.text(row.url),
          as.duration(row.duration_ms),
          as.number(row.page_views),
          as.number(row.click_count),
          row.max_scroll_depth === null ? as.text(null) : `${row.max_scroll_depth} %`,
          as.text(row.referrer ?? row.utm_source),
          as.list(row.browser_name, row.os),
          as.list(row.geo_city, row.geo_country_code),
        ]);
      const {
        data: [{ visitor_id }],
      } = await target.ask(`sessions?${days}&limit=1`);
      for (const filter of [{}, { page: '3' }, { url: '/pricing' }, { visitor_id }]) {
        await show('sessions', filter);
        const { data } = await target.ask(`sessions?${days}&${new URLSearchParams(filter)}`);
        assert.ok(data.length);
        assert.deepEqual(await readTable(tab, 'Newest first'), rowsOf(data));
      }
    });

    it('a session and its timeline', async () => {
      const { data: sessions } = await target.ask(`sessions?${days}&limit=100`);
      const { session_id: id } = sessions.reduce((best, session) => (session.event_count > best.event_count ? session : best));
      await show(`sessions/${id}`);
      const { data } = await target.ask(`sessions/${id}`);
      const facts = await readFacts(tab);
      assert.equal(facts.Duration, as.duration(data.duration_ms));
      assert.equal(facts['Page views'], as.number(data.page_views));
      assert.equal(facts.Events, as.number(data.event_count));
      assert.equal(facts.Clicks, as.number(data.click_count));
      assert.equal(facts.Scrolled, `${data.max_scroll_depth} %`);
      const rows = await readTable(tab, 'In order');
      const offset = (passed) => `${Math.floor(passed / 60_000)}:${String(Math.floor(passed / 1000) % 60).padStart(2, '0')}`;
      assert.deepEqual(
        rows.map(([after]) => after),
        data.events.map(({ created_at }) => offset(created_at - data.started_at)),
      );
      assert.deepEqual(
        rows.map((row) => row[3]),
        data.events.map(({ url }) => as.text(url)),
      );
      const views = data.events.filter(({ name }) => name === 'page_view');
      assert.deepEqual(
        await tab.locator('.lane-span').allTextContents(),
        views.map(({ url }) => url),
      );
      assert.equal(await tab.locator('.lane-point').count(), data.events.length - views.length);
    });

    it('Frustration, and from its rows to their sessions', async () => {
      const clicks = await ask('insights/clicks', 'limit=100');
      for (const [kind, list] of [
        ['rage_click', clicks.rage_clicks],
        ['dead_click', clicks.dead_clicks],
        ['phantom_click', clicks.phantom_clicks],
      ]) {
        await show('frustration', { kind });
        await showAll(tab);
        assert.deepEqual(
          await readTable(tab, 'Elements that disappoint'),
          list.map(({ selector, url, count, unique_visitors }) => [selector, url, as.number(count), as.number(unique_visitors)]),
        );
      }
      const errors = await ask('insights/errors', 'limit=100');
      const rows = await readTable(tab, 'Errors and warnings');
      assert.deepEqual(
        rows.map(([message, , count, visitors, first, last, url]) => [message, count, visitors, first, last, url]),
        errors.map((row) => [row.message, as.number(row.count), as.number(row.unique_visitors), as.date(row.first_seen_at), as.instant(row.last_seen_at), row.url]),
      );
      const { scores, average } = await ask('insights/frustration', 'limit=100');
      assert.deepEqual(
        await readTable(tab, 'Frustrated visitors'),
        scores.map((row) => [row.visitor_id, ...[row.score, row.rage_clicks, row.dead_clicks, row.errors, row.form_abandons, row.rapid_navigations].map(as.number)]),
      );
      assert.ok((await tab.locator('main').innerText()).includes(`Average score ${as.decimal(average.avg_score)} over ${as.number(average.visitor_count)} visitors`));

      const { selector, url, count } = clicks.rage_clicks[0];
      await show('frustration', { type: 'rage_click', at: selector, url });
      const found = await readTable(tab, 'Sessions in which it happened');
      assert.equal(found.length, count);
      const { data: events } = await target.ask(`events?${days}&type=rage_click&limit=100`);
      assert.deepEqual(
        found.map(([session]) => session),
        events.filter((event) => event.url === url && event.data.selector === selector).map(({ session_id }) => session_id),
      );
      await show('frustration', { type: errors[0].type, at: errors[0].message });
      await showAll(tab);
      assert.equal((await readTable(tab, 'Sessions in which it happened')).length, errors[0].count);
    });

    it('Pages: views, reading, search engines', async () => {
      await show('pages');
      await showAll(tab);
      const { top_pages } = await ask('pages', 'limit=100');
      assert.deepEqual(
        await readTable(tab, 'Views'),
        top_pages.map(({ url, views, unique_visitors }) => [url, as.number(views), as.number(unique_visitors)]),
      );
      await show('pages', { tab: 'reading' });
      const reading = await ask('insights/reading', 'limit=100');
      assert.deepEqual(
        await readTable(tab, 'Reading'),
        reading.map((row) => [
          row.url,
          as.number(row.reads),
          as.percent(row.avg_scroll_depth),
          as.duration(row.avg_active_time_ms),
          as.percent(row.attention_percent),
          as.decimal(row.avg_scroll_velocity),
        ]),
      );
      await show('pages', { tab: 'seo' });
      const seo = await ask('insights/seo', 'limit=100');
      assert.deepEqual(
        (await readTable(tab, 'By finding')).map(([, pages]) => pages),
        seo.issues.map(({ pages }) => as.number(pages)),
      );
      assert.deepEqual(
        (await readTable(tab, 'By page')).map(([url, , title, ...rest]) => [url, title, ...rest]),
        seo.pages.map((row) => [
          row.url,
          as.text(row.title),
          ...[row.title_length, row.meta_description_length, row.h1_count, row.images_missing_alt].map(as.number),
          as.instant(row.checked_at),
        ]),
      );
    });

    it('Journeys', async () => {
      await show('journeys');
      await showAll(tab);
      const { transitions, entry_pages, exit_pages } = await ask('insights/journeys', 'limit=100');
      assert.deepEqual(
        await readTable(tab, 'Ways'),
        transitions.map((row) => [row.from, as.text(row.to), as.number(row.count)]),
      );
      assert.deepEqual(
        await readTable(tab, 'Where sessions begin'),
        entry_pages.map(({ url, count }) => [url, as.number(count)]),
      );
      assert.deepEqual(
        await readTable(tab, 'Where sessions end'),
        exit_pages.map(({ url, count }) => [url, as.number(count)]),
      );
      const titles = await tab.locator('.flow-link title').allTextContents();
      const { from, to, count } = transitions[0];
      assert.ok(titles.includes(`${from} → ${to}: ${as.number(count)}`));
    });

    it('Forms', async () => {
      await show('forms');
      await showAll(tab);
      const { abandonment, hesitation } = await ask('insights/forms', 'limit=100');
      assert.deepEqual(
        await readTable(tab, 'Where forms are left'),
        abandonment.map((row) => [row.form, row.url, as.number(row.abandons), as.duration(row.avg_time_spent_ms), as.text(row.last_field)]),
      );
      assert.deepEqual(
        await readTable(tab, 'What makes people hesitate'),
        hesitation.map((row) => [row.field, row.form, row.url, as.number(row.count), as.duration(row.avg_hesitation_ms)]),
      );
    });

    it('Acquisition, by each parameter of campaigns', async () => {
      const { channels, referrers, utm } = await ask('acquisition', 'limit=100');
      for (const by of ['campaign', 'source', 'medium', 'term', 'content']) {
        await show('acquisition', { by });
        assert.deepEqual(
          await readTable(tab, 'Campaigns'),
          utm[by].map(({ value, sessions }) => [value, as.number(sessions)]),
        );
      }
      assert.deepEqual(
        await readTable(tab, 'Channels'),
        channels.map((row) => [row.channel, as.number(row.sessions), as.percent(row.share)]),
      );
      assert.deepEqual(
        await readTable(tab, 'Referrers'),
        referrers.map((row) => [row.referrer, as.number(row.sessions)]),
      );
    });

    it('Audience', async () => {
      await show('audience');
      const data = await ask('audience', 'limit=100');
      await showAll(tab);
      const regions = new Intl.DisplayNames('en-GB', { type: 'region' });
      const languages = new Intl.DisplayNames('en-GB', { type: 'language' });
      const names = {
        Countries: ['countries', ({ country, country_code }) => country ?? (country_code && regions.of(country_code))],
        Cities: ['cities', ({ city, country_code }) => city && as.list(city, country_code)],
        Browsers: ['browsers', ({ browser }) => browser],
        Systems: ['systems', ({ os }) => os],
        Devices: ['devices', ({ device }) => device && { mobile: 'Mobile', desktop: 'Desktop' }[device]],
        Languages: ['languages', ({ language }) => language && languages.of(language)],
        Screens: ['screens', ({ screen }) => screen?.replace('x', ' × ')],
      };
      for (const [caption, [list, name]] of Object.entries(names)) {
        assert.ok(data[list].length, caption);
        assert.deepEqual(
          await readTable(tab, caption),
          data[list].map((row) => [name(row) ?? 'Unknown', as.number(row.visitors), as.number(row.sessions)]),
        );
      }
    });

    it('Speed', async () => {
      await show('speed');
      await showAll(tab);
      const { web_vitals, top_pages, bounce_rate, avg_session_duration_ms } = await ask('metrics', 'limit=100');
      const rows = await readTable(tab, 'Web Vitals');
      const share = (part, { samples }) => `${as.number(part)} (${as.percent(samples ? (part / samples) * 100 : 0)})`;
      const order = ['lcp', 'inp', 'cls', 'fcp', 'ttfb', 'fid'];
      assert.deepEqual(
        rows.map(([, p75, , good, needs, poor, samples]) => [p75, good, needs, poor, samples]),
        order.map((name) => {
          const vital = web_vitals[name];
          return [
            name === 'cls' ? as.number(vital.p75) : as.milliseconds(vital.p75),
            share(vital.good, vital),
            share(vital.needs_improvement, vital),
            share(vital.poor, vital),
            as.number(vital.samples),
          ];
        }),
      );
      assert.deepEqual(
        await tab.locator('.vital-value').allTextContents(),
        rows.map(([, p75]) => p75),
      );
      assert.deepEqual(
        await readTable(tab, 'Top pages'),
        top_pages.map((row) => [row.url, as.number(row.views), as.number(row.unique_visitors)]),
      );
      const text = await tab.locator('main').innerText();
      assert.ok(text.includes(`A session takes ${as.duration(avg_session_duration_ms)} on average; the bounce rate is ${as.percent(bounce_rate)}.`));
    });

    it('CSV of a list has all of its pages, and of a table what it shows', async () => {
      const read = async (button) => {
        const [download] = await Promise.all([tab.waitForEvent('download'), button.click()]);
        const chunks = [];
        for await (const chunk of await download.createReadStream()) chunks.push(chunk);
        return Buffer.concat(chunks)
          .toString()
          .replace(/^\ufeff/, '')
          .trimEnd()
          .split('\r\n');
      };
      await show('sessions', { url: '/pricing' });
      const { pagination } = await target.ask(`sessions?${days}&url=/pricing`);
      assert.ok(pagination.total_pages > 1);
      const lines = await read(tab.getByRole('button', { name: 'Save Sessions as CSV' }));
      assert.equal(lines.length, pagination.total + 1);
      await show('pages');
      const { top_pages } = await ask('pages', 'limit=100');
      const pages = await read(tab.getByRole('button', { name: 'Save Views as CSV' }));
      assert.deepEqual(pages, ['Page,Views,Visitors', ...top_pages.map(({ url, views, unique_visitors }) => `${url},${views},${unique_visitors}`)]);
    });
  });
