import * as read from '../api/read';
import * as format from '../format';
import { Link } from '../shared/link';
import { Listing } from '../shared/listing';
import type { Column } from '../shared/table';
import { visitor as visitorTexts, visitors as texts } from '../texts';

const deviceOf = (mobile: number | null): string | null => (mobile === null ? null : mobile ? visitorTexts.mobile : visitorTexts.desktop);

const columns: Column<read.Visitor>[] = [
  { head: texts.visitor, value: ({ visitor_id }) => visitor_id, show: ({ visitor_id }) => <Link to={['visitors', visitor_id]}>{visitor_id}</Link> },
  { head: texts.lastSeen, value: ({ last_seen_at }) => last_seen_at, show: ({ last_seen_at }) => format.instant(last_seen_at) },
  { head: texts.firstSeen, value: ({ first_seen_at }) => first_seen_at, show: ({ first_seen_at }) => format.date(first_seen_at) },
  { head: texts.visits, value: ({ visit_count }) => visit_count, isNumber: true },
  {
    head: texts.browser,
    value: ({ browser_name, browser_version }) => [browser_name, browser_version].filter(Boolean).join(' ') || null,
    show: ({ browser_name, browser_version }) => format.text([browser_name, browser_version?.split('.')[0]].filter(Boolean).join(' ')),
  },
  { head: texts.os, value: ({ os }) => os },
  { head: texts.device, value: ({ mobile }) => deviceOf(mobile) },
  { head: texts.place, value: ({ geo_city, geo_country }) => [geo_city, geo_country].filter(Boolean).join(', ') || null, isShort: true },
];

const fields = [
  { name: 'search', label: texts.search, hint: texts.searchHint },
  { name: 'browser', label: texts.browser },
  { name: 'os', label: texts.os },
  { name: 'country', label: texts.country },
];

export const VisitorList = ({ params }: { params: Record<string, string> }) => <Listing texts={texts} columns={columns} fields={fields} params={params} read={read.visitors} />;
