import * as read from '../api/read';
import { useView } from '../context';
import * as format from '../format';
import { Filters } from '../shared/filters';
import { Link, SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Answered, Empty } from '../shared/states';
import { AllCsvButton, Pager, Table, pageOf, type Column } from '../shared/table';
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

export const SessionList = ({ params }: { params: Record<string, string> }) => {
  const { project, range } = useView();
  const filters = { url: params.url, visitor_id: params.visitor_id };
  const page = pageOf(params);
  const answer = useFigures(JSON.stringify(['sessions', filters, page]), (scope, days) => read.sessions(scope, days, filters, { page, limit: read.PAGE }));
  return (
    <Panel
      title={texts.title}
      isBusy={answer.isLoading}
      actions={
        <AllCsvButton
          name={texts.file}
          columns={columns}
          total={answer.data?.pagination.total ?? 0}
          read={(next, limit) => read.sessions({ project, signal: new AbortController().signal }, range, filters, { page: next, limit })}
        />
      }
    >
      <Filters fields={fields} params={params} />
      <Answered answer={answer} rows={16}>
        {({ data, pagination }) =>
          pagination.total ? (
            <>
              <Table caption={texts.title} columns={columns} rows={data} />
              <Pager pagination={pagination} />
            </>
          ) : (
            <Empty title={texts.nothing}>{texts.nothingAdvice}</Empty>
          )
        }
      </Answered>
    </Panel>
  );
};
