// Everything that the page reads of the API, by the session's cookie and for one project.

import createClient from 'openapi-fetch';
import { failureOf, reach } from './failure';
import type { components, paths } from './schema';

type Schemas = components['schemas'];
export type Visitor = Schemas['Visitor'];
export type VisitorDetail = Schemas['VisitorDetail'];
export type Session = Schemas['Session'];
export type SessionDetail = Schemas['SessionDetail'];
export type TrackedEvent = Schemas['Event'];
export type Stats = Schemas['Stats'];
export type StatsDay = Schemas['StatsDay'];
export type ClickIssue = Schemas['ClickIssue'];
export type ErrorGroup = Schemas['ErrorGroup'];
export type FrustrationScore = Schemas['FrustrationScore'];
export type LiveVisitor = Schemas['LiveVisitor'];
export type Pagination = Schemas['Pagination'];
export type Vital = Schemas['WebVital'];

/** A page of a list. */
export interface Listing<Row> {
  data: Row[];
  pagination: Pagination;
}

export interface Scope {
  project: string;
  signal: AbortSignal;
}

/** The most rows that the API answers at once. */
export const MOST = 100;
/** Rows of a page. */
export const PAGE = 50;

const client = createClient<paths>({ baseUrl: location.origin, fetch: reach });

const answered = async <Body>(request: Promise<{ data?: Body; error?: unknown; response: Response }>): Promise<Body> => {
  const { data, error, response } = await request;
  if (data === undefined) throw failureOf(response, error);
  return data;
};

const scoped = ({ project, signal }: Scope) => ({ headers: { 'Identity-Project': project }, signal });

interface Days {
  from: string;
  to: string;
}
const days = ({ from, to }: Days) => ({ start_date: from, end_date: to });
const ranking = (range: Days, limit = MOST) => ({ query: { ...days(range), limit } });

export const stats = (scope: Scope, range: Days) => answered(client.GET('/api/v1/stats', { params: { query: { ...days(range), interval: 'day' } }, ...scoped(scope) }));

export const topPages = (scope: Scope, range: Days, limit?: number) => answered(client.GET('/api/v1/pages', { params: ranking(range, limit), ...scoped(scope) }));

export const acquisition = (scope: Scope, range: Days, limit?: number) => answered(client.GET('/api/v1/acquisition', { params: ranking(range, limit), ...scoped(scope) }));

export const audience = (scope: Scope, range: Days, limit?: number) => answered(client.GET('/api/v1/audience', { params: ranking(range, limit), ...scoped(scope) }));
export type Audience = Awaited<ReturnType<typeof audience>>['data'];

export const live = (scope: Scope) => answered(client.GET('/api/v1/live', scoped(scope)));

export const clicks = (scope: Scope, range: Days, limit?: number) => answered(client.GET('/api/v1/insights/clicks', { params: ranking(range, limit), ...scoped(scope) }));

export const frustration = (scope: Scope, range: Days) => answered(client.GET('/api/v1/insights/frustration', { params: ranking(range), ...scoped(scope) }));

export const errors = (scope: Scope, range: Days) => answered(client.GET('/api/v1/insights/errors', { params: ranking(range), ...scoped(scope) }));

export const reading = (scope: Scope, range: Days) => answered(client.GET('/api/v1/insights/reading', { params: ranking(range), ...scoped(scope) }));

export const seo = (scope: Scope, range: Days) => answered(client.GET('/api/v1/insights/seo', { params: ranking(range), ...scoped(scope) }));

export const journeys = (scope: Scope, range: Days) => answered(client.GET('/api/v1/insights/journeys', { params: ranking(range), ...scoped(scope) }));

export const forms = (scope: Scope, range: Days) => answered(client.GET('/api/v1/insights/forms', { params: ranking(range), ...scoped(scope) }));

export const metrics = (scope: Scope, range: Days) => answered(client.GET('/api/v1/metrics', { params: ranking(range), ...scoped(scope) }));

interface Rows {
  page: number;
  limit: number;
}

/** Only those that have a value. */
const given = <Filters extends Record<string, string | undefined>>(filters: Filters) =>
  Object.fromEntries(Object.entries(filters).filter(([, value]) => value)) as { [Name in keyof Filters]?: string };

export const visitors = (
  scope: Scope,
  range: Days,
  filters: { search?: string | undefined; browser?: string | undefined; os?: string | undefined; country?: string | undefined },
  rows: Rows,
) => answered(client.GET('/api/v1/visitors', { params: { query: { ...days(range), ...given(filters), ...rows } }, ...scoped(scope) }));

export const visitor = (scope: Scope, id: string) => answered(client.GET('/api/v1/visitors/{visitor_id}', { params: { path: { visitor_id: id } }, ...scoped(scope) }));

export const sessions = (scope: Scope, range: Days, filters: { url?: string | undefined; visitor_id?: string | undefined }, rows: Rows) =>
  answered(client.GET('/api/v1/sessions', { params: { query: { ...days(range), ...given(filters), ...rows } }, ...scoped(scope) }));

export const session = (scope: Scope, id: string) => answered(client.GET('/api/v1/sessions/{session_id}', { params: { path: { session_id: id } }, ...scoped(scope) }));

export const events = (scope: Scope, range: Days, filters: { type?: string | undefined; visitor_id?: string | undefined; session_id?: string | undefined }, rows: Rows) =>
  answered(client.GET('/api/v1/events', { params: { query: { ...days(range), ...given(filters), ...rows } }, ...scoped(scope) }));
