// A made-up site's traffic of the last 30 days, as lines for `identity import`: the same each time but for its days.

const DAY = 86_400_000;
const DAYS = 30;
/** Events of a session, and URLs, of which the k-th is seen 1/k as often as the first. */
const EVENTS = 5;
const URLS = 200;
const BROWSERS = ['Chrome', 'Firefox', 'Safari', 'Edge'];
const SYSTEMS = ['Windows', 'macOS', 'Linux', 'iOS', 'Android'];
const PLACES = [
  ['DE', 'Germany', 'Berlin'],
  ['US', 'United States', 'New York'],
  ['RS', 'Serbia', 'Belgrade'],
  ['FR', 'France', 'Paris'],
  ['JP', 'Japan', 'Tokyo'],
  ['BR', 'Brazil', 'Recife'],
];
const REFERRERS = [null, null, 'https://www.google.com/', 'https://news.ycombinator.com/', 'https://duckduckgo.com/'];

/** Numbers of 0 to 1 that only look random (mulberry32). */
const numbers = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

export const siteOf = (events) => {
  const next = numbers(1);
  const of = (list) => list[Math.floor(next() * list.length)];
  const url = () => `/articles/${Math.floor(URLS ** next())}/a-page-with-a-usual-name`;
  const start = Math.floor(Date.now() / DAY - DAYS + 1) * DAY;
  const length = Date.now() - 3_600_000 - start;
  return Array.from({ length: Math.ceil(events / EVENTS) }, (_, number) => {
    // A third comes again.
    const visitor = number % 3 === 2 ? number - 1 : number;
    const [geo_country_code, geo_country, geo_city] = PLACES[visitor % PLACES.length];
    const os = SYSTEMS[visitor % SYSTEMS.length];
    const began = start + Math.floor(next() * length);
    let at = began;
    const landing = url();
    const list = Array.from({ length: EVENTS }, (_, position) => {
      const page = position ? url() : landing;
      at += Math.floor(next() * 20_000);
      if (position === 1) return { name: 'rage_click', url: page, created_at: at, data: { url: page, selector: `#button-${Math.floor(next() * 50)}`, text: 'Buy' } };
      if (position === 3) return { name: 'web_vitals', url: page, created_at: at, data: { url: page, lcp: 800 + Math.floor(next() * 4000), cls: 0.05, ttfb: 100 } };
      return { name: 'page_view', url: page, created_at: at, data: { url: page, title: 'A page with a usual title' } };
    });
    return JSON.stringify({
      batch_id: `b_${number}`,
      sent_at: at + 900,
      visitor: {
        visitor_id: `v_${visitor}`,
        browser_name: BROWSERS[visitor % BROWSERS.length],
        os,
        mobile: ['iOS', 'Android'].includes(os) ? 1 : 0,
        language: 'en',
        screen_width: 1280,
        screen_height: 800,
        geo_country_code,
        geo_country,
        geo_city,
      },
      session: { session_id: `ses_${number}`, started_at: began, url: landing, referrer: of(REFERRERS) },
      events: list,
    });
  });
};
