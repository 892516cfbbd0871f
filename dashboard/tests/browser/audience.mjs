// Answers `/api/v1/audience` from the lists of sessions and visitors, where the server does not have it yet.

const LISTS = {
  countries: ({ geo_country_code: code }, { geo_country: name }) => ({ country_code: code, country: name ?? null }),
  cities: ({ geo_city: city, geo_country_code }) => ({ city, country_code: geo_country_code }),
  browsers: ({ browser_name: browser }) => ({ browser }),
  systems: ({ os }) => ({ os }),
  devices: (_, { mobile }) => ({ device: { 0: 'desktop', 1: 'mobile' }[mobile] ?? null }),
  languages: (_, { language }) => ({ language: language?.split('-')[0].toLowerCase() ?? null }),
  screens: (_, { screen_width: width, screen_height: height }) => ({ screen: width ? `${width}x${height}` : null }),
};

const kept = new Map();

export const audienceOf = async (base, request, params) => {
  const headers = Object.fromEntries(
    ['authorization', 'cookie', 'identity-project', 'sec-fetch-site'].flatMap((name) => (request.headers[name] ? [[name, request.headers[name]]] : [])),
  );
  const ask = async (path) => fetch(`${base}/api/v1/${path}`, { headers });
  // Whatever is wrong with the request, the server says.
  const check = await ask('live');
  if (!check.ok) return { status: check.status, text: await check.text() };
  const query = new URLSearchParams([...params].filter(([name]) => name.endsWith('_date'))).toString();
  const all = async (list) => {
    const rows = [];
    for (let page = 1; ; page++) {
      const { data, pagination } = await (await ask(`${list}?${query}&limit=100&page=${page}`)).json();
      rows.push(...data);
      if (!pagination.has_next) return rows;
    }
  };
  const key = JSON.stringify([base, headers['identity-project'] ?? 'demo', query]);
  if (!kept.has(key)) kept.set(key, Promise.all([all('sessions'), all('visitors')]));
  const [sessions, visitors] = await kept.get(key);
  const profiles = new Map(visitors.map((visitor) => [visitor.visitor_id, visitor]));
  const by = (keysOf) => {
    const groups = new Map();
    const counted = new Set();
    // The newest first, so that a visitor is counted with its last session.
    for (const session of sessions) {
      const keys = keysOf(session, profiles.get(session.visitor_id) ?? {});
      const text = JSON.stringify(keys);
      const group = groups.get(text) ?? { ...keys, visitors: 0, sessions: 0 };
      groups.set(text, group);
      group.sessions++;
      if (counted.has(session.visitor_id)) continue;
      counted.add(session.visitor_id);
      group.visitors++;
    }
    return [...groups]
      .sort(([a, x], [b, y]) => y.visitors - x.visitors || y.sessions - x.sessions || (a < b ? -1 : 1))
      .slice(0, Math.min(100, Number(params.get('limit')) || 50))
      .map(([, group]) => group);
  };
  return { status: 200, text: JSON.stringify({ data: Object.fromEntries(Object.entries(LISTS).map(([name, keysOf]) => [name, by(keysOf)])) }) };
};
