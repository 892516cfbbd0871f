import * as read from '../api/read';
import * as format from '../format';
import { Link, SiteUrl } from '../shared/link';
import { Listing } from '../shared/listing';
import type { Column } from '../shared/table';
import { sessions as texts } from '../texts';

const columns: Column<read.Session>[] = [
  { head: texts.started, value: ({ started_at }) => started_at, show: ({ started_at, session_id }) => <Link to={['sessions', session_id]}>{format.instant(started_at)}</Link> },
  { head: texts.visitor, value: ({ visitor_id }) => visitor_id, show: ({ visitor_id }) => <Link to={['visitors', visitor_id]}>{visitor_id}</Link> },
  { head: texts.landing, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} />, isShort: true },
  { head: texts.duration, value: ({ duration_ms }) => duration_ms, show: ({ duration_ms }) => format.duration(duration_ms), isNumber: true },
  { head: texts.pageViews, value: ({ page_views }) => page_views ?? null, isNumber: true },
  { head: texts.clicks, value: ({ click_count }) => click_count, isNumber: true },
  {
    head: texts.scroll,
    value: ({ max_scroll_depth }) => max_scroll_depth,
    show: ({ max_scroll_depth }) => (max_scroll_depth === null ? format.text(null) : format.wholePercent(max_scroll_depth)),
    isNumber: true,
  },
  { head: texts.referrer, value: ({ referrer }) => referrer, show: ({ referrer, utm_source }) => (referrer ? <SiteUrl url={referrer} /> : format.text(utm_source)), isShort: true },
  { head: texts.device, value: ({ browser_name, os }) => [browser_name, os].filter(Boolean).join(', ') || null },
  { head: texts.place, value: ({ geo_city, geo_country_code }) => [geo_city, geo_country_code].filter(Boolean).join(', ') || null },
];

const fields = [
  { name: 'url', label: texts.url },
  { name: 'visitor_id', label: texts.visitorFilter },
];

export const SessionList = ({ params }: { params: Record<string, string> }) => <Listing texts={texts} columns={columns} fields={fields} params={params} read={read.sessions} />;
