// What gets in people's way: who, by what, and from each row to the sessions in which it happened.

import type { ComponentChildren } from 'preact';
import * as read from '../api/read';
import { hrefTo } from '../address';
import * as format from '../format';
import type { PageProps } from '../page-props';
import { isFrustrating, nameOf, summaryOf, urlOf } from '../shared/events';
import { Icon } from '../shared/icons';
import { Link, SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Segments, chosenOf } from '../shared/segments';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { events as eventTexts, frustration as texts } from '../texts';

const FIRST = 12;

const KINDS = ['rage_click', 'dead_click', 'phantom_click'] as const;
const LISTS = { rage_click: 'rage_clicks', dead_click: 'dead_clicks', phantom_click: 'phantom_clicks' } as const;

const visitorColumns: Column<read.FrustrationScore>[] = [
  { head: texts.visitor, value: ({ visitor_id }) => visitor_id, show: ({ visitor_id }) => <Link to={['visitors', visitor_id]}>{visitor_id}</Link> },
  { head: texts.score, value: ({ score }) => score, isNumber: true, bar: ({ score }) => score / 100 },
  { head: texts.rage, value: ({ rage_clicks }) => rage_clicks, isNumber: true },
  { head: texts.dead, value: ({ dead_clicks }) => dead_clicks, isNumber: true },
  { head: texts.errorCount, value: ({ errors }) => errors, isNumber: true },
  { head: texts.abandons, value: ({ form_abandons }) => form_abandons, isNumber: true },
  { head: texts.rapid, value: ({ rapid_navigations }) => rapid_navigations ?? null, isNumber: true },
];

/** What is looked for among the events: it stands in the address. */
interface Wanted {
  type: string;
  at: string;
  url: string | undefined;
}

/** From a row to the sessions in which it happened, on this page. */
const ToSessions = ({ type, at, url, params, children }: Wanted & { params: Record<string, string>; children: ComponentChildren }) => (
  <a class="clip" href={hrefTo(['frustration'], { kind: params.kind, type, at, url })} title={texts.show(at)}>
    {children}
  </a>
);

const clickColumns = (type: string, params: Record<string, string>): Column<read.ClickIssue>[] => [
  {
    head: texts.element,
    value: ({ selector }) => selector,
    show: ({ selector, url }) =>
      selector ? (
        <ToSessions type={type} at={selector} url={url ?? undefined} params={params}>
          <code>{selector}</code>
        </ToSessions>
      ) : (
        format.text(null)
      ),
  },
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
  { head: texts.count, value: ({ count }) => count, isNumber: true },
  { head: texts.uniqueVisitors, value: ({ unique_visitors }) => unique_visitors, isNumber: true },
];

const errorColumns = (params: Record<string, string>): Column<read.ErrorGroup>[] => [
  {
    head: texts.message,
    value: ({ message }) => message,
    show: ({ message, type }) =>
      message ? (
        <ToSessions type={type} at={message} url={undefined} params={params}>
          {message}
        </ToSessions>
      ) : (
        format.text(null)
      ),
    isShort: true,
  },
  { head: texts.type, value: ({ type }) => type, show: ({ type }) => <span class={`tag ${isFrustrating(type) ? 'tag-bad' : ''}`}>{nameOf(type)}</span> },
  { head: texts.count, value: ({ count }) => count, isNumber: true },
  { head: texts.uniqueVisitors, value: ({ unique_visitors }) => unique_visitors, isNumber: true },
  { head: texts.firstSeen, value: ({ first_seen_at }) => first_seen_at, show: ({ first_seen_at }) => format.date(first_seen_at) },
  { head: texts.lastSeen, value: ({ last_seen_at }) => last_seen_at, show: ({ last_seen_at }) => format.instant(last_seen_at) },
  { head: texts.lastPage, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} />, isShort: true },
];

const eventColumns: Column<read.TrackedEvent>[] = [
  { head: eventTexts.session, value: ({ session_id }) => session_id, show: ({ session_id }) => <Link to={['sessions', session_id]}>{session_id}</Link> },
  { head: eventTexts.time, value: ({ created_at }) => created_at, show: ({ created_at }) => format.instant(created_at) },
  { head: texts.visitor, value: ({ visitor_id }) => visitor_id, show: ({ visitor_id }) => <Link to={['visitors', visitor_id]}>{visitor_id}</Link> },
  { head: eventTexts.what, value: summaryOf },
  { head: eventTexts.page, value: urlOf, show: (event) => <SiteUrl url={urlOf(event)} /> },
];

/** Messages are grouped by so many of their characters. */
const GROUPED = 256;

/** Events of a kind that are searched for those of a row: the API finds them by kind alone. */
const SEARCHED_PAGES = 5;

const matches = ({ at, url }: Wanted, event: read.TrackedEvent): boolean => {
  const data = (event.data ?? {}) as Record<string, unknown>;
  if (data.selector === at) return !url || urlOf(event) === url;
  return typeof data.message === 'string' && [...data.message].slice(0, GROUPED).join('') === at;
};

const Occurrences = ({ wanted, params }: { wanted: Wanted; params: Record<string, string> }) => {
  const answer = useFigures(JSON.stringify(['events', wanted.type]), async (scope, range) => {
    const found: read.TrackedEvent[] = [];
    for (let page = 1; page <= SEARCHED_PAGES; page++) {
      const { data, pagination } = await read.events(scope, range, { type: wanted.type }, { page, limit: read.MOST });
      found.push(...data);
      if (!pagination.has_next) break;
    }
    return found;
  });
  const rows = answer.data?.filter((event) => matches(wanted, event)) ?? [];
  return (
    <Panel
      title={texts.where}
      class="selection"
      isBusy={answer.isLoading}
      note={
        <>
          {nameOf(wanted.type)}: <code>{wanted.at}</code>
          {answer.data && ` – ${texts.whereNote(rows.length, answer.data.length)}`}
        </>
      }
      actions={
        <>
          <CsvButton name={texts.where} columns={eventColumns} rows={rows} />
          <a href={hrefTo(['frustration'], { kind: params.kind })}>
            <Icon name="close" /> {texts.close}
          </a>
        </>
      }
    >
      <Answered answer={answer}>
        {() => (rows.length ? <Table caption={texts.where} columns={eventColumns} rows={rows} first={FIRST} /> : <Empty title={texts.notFound}>{texts.notFoundAdvice}</Empty>)}
      </Answered>
    </Panel>
  );
};

export const Frustration = ({ params }: PageProps) => {
  const kind = chosenOf(KINDS, params.kind);
  const scores = useFigures('frustration', read.frustration);
  const clicks = useFigures('clicks', (scope, range) => read.clicks(scope, range));
  const errors = useFigures('errors', read.errors);
  const { type, at, url } = params;
  const elements = clicks.data?.data[LISTS[kind]] ?? [];
  const elementColumns = clickColumns(kind, params);
  const messageColumns = errorColumns(params);
  return (
    <>
      {type && at && <Occurrences key={`${type} ${at} ${url}`} wanted={{ type, at, url }} params={params} />}
      <Panel
        title={texts.elements}
        note={texts.kindNotes[kind]}
        isBusy={clicks.isLoading}
        actions={
          <>
            <Segments label={texts.kind} param="kind" choices={KINDS.map((name) => ({ name, text: texts.kinds[name] }))} current={kind} />
            <CsvButton name={texts.kinds[kind]} columns={elementColumns} rows={elements} />
          </>
        }
      >
        <Answered answer={clicks} rows={8}>
          {() =>
            elements.length ? (
              <Table
                key={kind}
                caption={texts.elements}
                columns={elementColumns}
                rows={elements}
                first={FIRST}
                isSelected={(row) => type === kind && row.selector === at && (row.url ?? undefined) === url}
              />
            ) : (
              <Empty title={texts.noClicks} />
            )
          }
        </Answered>
      </Panel>
      <Panel title={texts.errors} isBusy={errors.isLoading} actions={<CsvButton name={texts.errors} columns={messageColumns} rows={errors.data?.data ?? []} />}>
        <Answered answer={errors} rows={8}>
          {({ data }) =>
            data.length ? (
              <Table caption={texts.errors} columns={messageColumns} rows={data} first={FIRST} isSelected={(row) => row.type === type && row.message === at} />
            ) : (
              <Empty title={texts.noErrors} />
            )
          }
        </Answered>
      </Panel>
      <Panel
        title={texts.visitors}
        isBusy={scores.isLoading}
        note={scores.data && texts.visitorsNote(format.decimal(scores.data.data.average.avg_score), scores.data.data.average.visitor_count)}
        actions={<CsvButton name={texts.visitors} columns={visitorColumns} rows={scores.data?.data.scores ?? []} />}
      >
        <Answered answer={scores} rows={8}>
          {({ data }) =>
            data.scores.length ? (
              <Table caption={texts.visitors} columns={visitorColumns} rows={data.scores} first={FIRST} />
            ) : (
              <Empty title={texts.nobody}>{texts.nobodyAdvice}</Empty>
            )
          }
        </Answered>
      </Panel>
    </>
  );
};
