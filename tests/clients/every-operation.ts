// Calls every operation of a running stack with openapi-fetch and the types that openapi-typescript generated.

import assert from 'node:assert/strict';
import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './generated/schema.js';

type Schemas = components['schemas'];
type Api = Client<paths>;

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const BASE = setting('IDENTITY_BASE_URL');
const PROJECT = 'typescript';
// What the dashboard's own page says of itself.
const OWN_PAGE = { 'Sec-Fetch-Site': 'same-origin' };

/** The method and the path of each operation that was called. */
const called = new Set<string>();

const client = (headers: Record<string, string> = {}): Api => {
  const made = createClient<paths>({ baseUrl: BASE, headers });
  made.use({
    onRequest({ request, schemaPath }) {
      called.add(`${request.method} ${schemaPath}`);
    },
  });
  return made;
};

const answered = async <Body>(answer: Promise<{ data?: Body; error?: unknown; response: Response }>): Promise<Body> => {
  const { data, error, response } = await answer;
  assert.ok(response.ok && data !== undefined, `${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data;
};

const done = async (answer: Promise<{ error?: unknown; response: Response }>): Promise<void> => {
  const { error, response } = await answer;
  assert.equal(response.status, 204, `${response.url}: ${JSON.stringify(error)}`);
};

const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

const figures = async (reader: Api): Promise<void> => {
  const days = { start_date: day(20), end_date: day(0) };
  const range = { params: { query: days } };
  const stats: Schemas['Stats'] = (await answered(reader.GET('/api/v1/stats', { params: { query: { ...days, interval: 'day' } } }))).data;
  assert.equal(stats.series?.length, 21);
  assert.ok(stats.total_visitors > 0);
  const pages = (await answered(reader.GET('/api/v1/pages', { params: { query: { ...days, limit: 3 } } }))).data;
  assert.ok(pages.top_pages.length === 3 && pages.avg_pages_per_session > 0);
  const acquisition = (await answered(reader.GET('/api/v1/acquisition', range))).data;
  const channel: Schemas['Channel'] | undefined = acquisition.channels[0]?.channel;
  assert.ok(channel && acquisition.utm.source.length > 0);
  assert.ok((await answered(reader.GET('/api/v1/audience', range))).data.countries[0]?.visitors);
  assert.ok((await answered(reader.GET('/api/v1/metrics', range))).data.web_vitals.cls?.samples);
  assert.ok((await answered(reader.GET('/api/v1/insights/frustration', range))).data.average.avg_score > 0);
  assert.ok((await answered(reader.GET('/api/v1/insights/clicks', range))).data.rage_clicks[0]?.selector);
  assert.ok((await answered(reader.GET('/api/v1/insights/errors', range))).data[0]?.message);
  assert.ok((await answered(reader.GET('/api/v1/insights/forms', range))).data.abandonment[0]?.form);
  assert.ok((await answered(reader.GET('/api/v1/insights/journeys', range))).data.entry_pages[0]?.url);
  assert.ok((await answered(reader.GET('/api/v1/insights/reading', range))).data[0]?.avg_scroll_depth);
  assert.ok((await answered(reader.GET('/api/v1/insights/seo', range))).data.issues[0]?.issue);
  assert.ok((await answered(reader.GET('/api/v1/events/types', range))).data[0]?.count);

  const { error } = await reader.GET('/api/v1/pages', { params: { query: { limit: 0 } } });
  const code: Schemas['ErrorCode'] | undefined = error?.error.code;
  assert.equal(code, 'invalid_parameter');
};

const lists = async (reader: Api): Promise<void> => {
  const visitors = await answered(reader.GET('/api/v1/visitors', { params: { query: { limit: 5, page: 2 } } }));
  assert.ok(visitors.data.length === 5 && visitors.pagination.has_prev);
  const visitor_id = visitors.data[0]?.visitor_id ?? '';
  const visitor = (await answered(reader.GET('/api/v1/visitors/{visitor_id}', { params: { path: { visitor_id } } }))).data;
  assert.equal(visitor.visitor_id, visitor_id);
  const sessions = await answered(reader.GET('/api/v1/sessions', { params: { query: { visitor_id } } }));
  const session_id = sessions.data[0]?.session_id ?? '';
  const session = (await answered(reader.GET('/api/v1/sessions/{session_id}', { params: { path: { session_id } } }))).data;
  assert.ok(session.events.length > 0 && session.dropped_events === 0);
  const events = await answered(reader.GET('/api/v1/events', { params: { query: { type: 'rage_click' } } }));
  assert.ok(events.data[0]?.data?.selector);
  assert.ok((await answered(reader.GET('/api/v1/live', { params: { query: { threshold_minutes: 60 } } }))).count >= 0);
};

const collected = async (sender: Api): Promise<void> => {
  const now = Date.now();
  const body: Schemas['Batch'] = {
    key: setting('IDENTITY_PUBLIC_KEY'),
    batch_id: `b_${now}`,
    sent_at: now,
    visitor: { visitor_id: 'v_typescript', language: 'en' },
    session: { session_id: 'ses_typescript', started_at: now, url: '/pricing' },
    events: [
      { name: 'page_view', created_at: now, data: { url: '/pricing' } },
      { name: 'signed_up', created_at: now },
    ],
  };
  assert.equal((await answered(sender.POST('/collect', { body }))).data.accepted, 2);
  await done(sender.OPTIONS('/collect'));
};

const files = async (stranger: Api): Promise<void> => {
  const parseAs = 'text';
  const version = { params: { path: { version: setting('IDENTITY_TRACKER_VERSION') } }, parseAs } as const;
  assert.ok(await answered(stranger.GET('/identity.js', { parseAs })));
  assert.ok(await answered(stranger.GET('/identity-more.js', { parseAs })));
  assert.ok(await answered(stranger.GET('/identity-lite.js', { parseAs })));
  assert.ok(await answered(stranger.GET('/v/{version}/identity.js', version)));
  assert.ok(await answered(stranger.GET('/v/{version}/identity-more.js', version)));
  assert.ok(await answered(stranger.GET('/v/{version}/identity-lite.js', version)));
  const page = await answered(stranger.GET('/', { parseAs }));
  const name = /\/assets\/([^"]+\.js)/.exec(page)?.[1] ?? '';
  assert.ok(await answered(stranger.GET('/assets/{name}', { params: { path: { name } }, parseAs })));
};

/** Somebody whom a link let in: fetch keeps no cookies in Node. */
const signedIn = async (link: string): Promise<{ somebody: Api; person: Schemas['Person'] }> => {
  const token = link.split('/#/sign-in/')[1] ?? '';
  const signing = client(OWN_PAGE).POST('/manage/v1/sign-in', { body: { token } });
  const person = (await answered(signing)).data;
  const cookie = (await signing).response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { somebody: client({ ...OWN_PAGE, Cookie: cookie }), person };
};

const management = async (): Promise<void> => {
  const { somebody: admin, person } = await signedIn(setting('IDENTITY_LINK'));
  const me = (await answered(admin.GET('/manage/v1/me'))).data;
  assert.deepEqual([me.id, me.role], [person.id, 'admin']);

  const project = { id: PROJECT, name: 'TypeScript', origins: ['https://shop.example'] };
  assert.deepEqual((await answered(admin.POST('/manage/v1/projects', { body: project }))).data.origins, project.origins);
  const path = { id: PROJECT };
  const changed = await answered(admin.PATCH('/manage/v1/projects/{id}', { params: { path }, body: { hosts: ['shop.example'] } }));
  assert.deepEqual(changed.data.hosts, ['shop.example']);
  assert.ok((await answered(admin.GET('/manage/v1/projects'))).data.some(({ id }) => id === PROJECT));

  const made = (await answered(admin.POST('/manage/v1/keys', { body: { project: PROJECT, kind: 'secret', rate_limit: 600 } }))).data;
  assert.equal(made.rate_limit, 600);
  const rotated = (await answered(admin.POST('/manage/v1/keys/{id}/rotate', { params: { path: { id: made.id } }, body: {} }))).data;
  await done(admin.DELETE('/manage/v1/keys/{id}', { params: { path: { id: rotated.id } }, body: {} }));
  const keys = (await answered(admin.GET('/manage/v1/keys', { params: { query: { project: PROJECT } } }))).data;
  assert.ok(keys.every(({ id }) => id !== rotated.id));

  const { link } = (await answered(admin.POST('/manage/v1/people', { body: { label: 'somebody', role: 'viewer', projects: [PROJECT] } }))).data;
  const { id } = (await signedIn(link)).person;
  assert.ok((await answered(admin.GET('/manage/v1/people'))).data.some((listed) => listed.id === id));
  await done(admin.DELETE('/manage/v1/people/{id}', { params: { path: { id } }, body: {} }));
  await done(admin.POST('/manage/v1/sign-out', { body: {} }));
};

const stranger = client();
const reader = client({ Authorization: `Bearer ${setting('IDENTITY_SECRET_KEY')}` });
await figures(reader);
await lists(reader);
await collected(stranger);
await files(stranger);
await management();

const description = await answered(stranger.GET('/api/v1/openapi.json'));
const described = Object.entries(description.paths).flatMap(([path, operations]) =>
  Object.keys(operations as object).map((method) => `${method.toUpperCase()} ${path}`),
);
assert.deepEqual([...called].sort(), described.sort(), 'Every operation that is described has to be called.');
console.log(`openapi-fetch: ${called.size} operations called`);
