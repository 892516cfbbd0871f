// How it goes: the figures of the chosen days beside those of the days before, and the first rows of what other pages show.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import * as read from '../api/read';
import { useView } from '../context';
import * as format from '../format';
import { addDays, before, daysBetween, lengthOf, toDay, type Range } from '../range';
import type { PageProps } from '../page-props';
import { FirstEvent, type First } from './first-event';
import type { Answer } from '../shared/answer';
import { Chart } from '../shared/chart';
import { Link, SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Segments, chosenOf } from '../shared/segments';
import { Answered, Empty, Failed } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { chart as chartTexts, overview as texts, tables as tableTexts } from '../texts';

/** Rows of each short list. */
const ROWS = 6;
const WORST = 3;

type Figure = 'total_visitors' | 'total_sessions' | 'total_page_views' | 'bounce_rate' | 'avg_session_duration_ms' | 'avg_pages_per_session';

const FIGURES: { name: Figure; label: string; show: (value: number) => string; isPercent?: boolean; isBetterLow?: boolean }[] = [
  { name: 'total_visitors', label: texts.visitors, show: format.number },
  { name: 'total_sessions', label: texts.sessions, show: format.number },
  { name: 'total_page_views', label: texts.pageViews, show: format.number },
  { name: 'bounce_rate', label: texts.bounceRate, show: format.percent, isPercent: true, isBetterLow: true },
  { name: 'avg_session_duration_ms', label: texts.duration, show: format.duration },
  { name: 'avg_pages_per_session', label: texts.pagesPerSession, show: format.decimal },
];

interface ChangeProps {
  now: number;
  then: number;
  isPercent: boolean;
  isBetterLow: boolean;
  /** Whether there was anything before. */
  hasBefore: boolean;
  /** Whether as much time is compared with as much: else more is neither better nor worse. */
  isFair: boolean;
}

/** The difference to the days before: of counts in percent, of percentages in points. */
const Change = ({ now, then, isPercent, isBetterLow, hasBefore, isFair }: ChangeProps) => {
  if (now === then) return <span class="change">{texts.noChange}</span>;
  if (!hasBefore || (!then && !isPercent)) return <span class="change">{texts.nothingBefore}</span>;
  const isUp = now > then;
  return (
    <span class={`change ${isFair ? (isUp === isBetterLow ? 'is-worse' : 'is-better') : ''}`}>
      <span aria-hidden="true">{isUp ? '▲' : '▼'}</span>
      <span class="visually-hidden">{isUp ? texts.changeOf.up : texts.changeOf.down}</span>{' '}
      {isPercent ? `${format.points(now - then)} ${texts.points}` : format.change(((now - then) / then) * 100)}
    </span>
  );
};

type Measure = 'visitors' | 'sessions' | 'page_views' | 'events';
const MEASURES: { name: Measure; text: string }[] = [
  { name: 'visitors', text: texts.visitors },
  { name: 'sessions', text: texts.sessions },
  { name: 'page_views', text: texts.pageViews },
  { name: 'events', text: texts.events },
];

/** A value for each day, none where the project had no data yet. */
const byDay = (series: read.StatsDay[] | undefined, from: string, length: number, measure: Measure) => {
  const values = new Map(series?.map((day) => [day.date, day[measure]]));
  return Array.from({ length }, (_, index) => {
    const day = addDays(from, index);
    return { day, value: values.get(day) ?? null };
  });
};

const DAYS_OF_YEAR = 366;
const DAYS_OF_NOTHING = 30;

/** Of a long range, that which lies before the project's first data is left out. */
const skippedDays = (range: Range, firstDay: string | undefined): number => {
  const length = lengthOf(range);
  if (length <= DAYS_OF_YEAR) return 0;
  return firstDay ? Math.max(0, daysBetween(range.from, firstDay)) : length - DAYS_OF_NOTHING;
};

interface DayRow {
  day: string;
  value: number | null;
  previousDay: string;
  previousValue: number | null;
}

const ByDay = ({ now, then, range, measure }: { now: read.Stats; then: read.Stats | undefined; range: Range; measure: Measure }) => {
  const earlier = before(range);
  const skipped = skippedDays(range, now.series?.[0]?.date);
  const length = lengthOf(range) - skipped;
  const current = byDay(now.series, addDays(range.from, skipped), length, measure);
  const previous = byDay(then?.series, addDays(earlier.from, skipped), length, measure);
  const label = MEASURES.find(({ name }) => name === measure)?.text ?? '';
  const rows: DayRow[] = current.map(({ day, value }, index) => ({ day, value, previousDay: previous[index]?.day ?? '', previousValue: previous[index]?.value ?? null }));
  const columns: Column<DayRow>[] = [
    { head: chartTexts.day, value: ({ day }) => day, show: ({ day }) => format.fullDay(day) },
    { head: label, value: ({ value }) => value, isNumber: true },
    { head: chartTexts.previousDay, value: ({ previousDay }) => previousDay, show: ({ previousDay }) => format.fullDay(previousDay) },
    { head: chartTexts.before(label), value: ({ previousValue }) => previousValue, isNumber: true },
  ];
  return (
    <>
      <Chart label={label} current={current} previous={previous} />
      <details>
        <summary>{tableTexts.asTable}</summary>
        <Table caption={`${texts.byDay}: ${label}`} columns={columns} rows={rows} />
        <CsvButton name={`${texts.byDay} ${label}`} columns={columns} rows={rows} />
      </details>
    </>
  );
};

const ToAll = ({ page, what }: { page: string; what: string }) => (
  <Link to={[page]}>
    {texts.details}
    <span class="visually-hidden">: {what}</span>
  </Link>
);

interface ShortListProps<Data, Row> {
  title: string;
  answer: Answer<Data>;
  rows: (data: Data) => Row[];
  /** Heads of the two columns. */
  heads: [string, string];
  name: (row: Row) => string | null;
  show: (row: Row) => ComponentChildren;
  value: (row: Row) => number;
  /** The page that has all of it. */
  page: string;
}

/** The first rows of a ranking, with bars as long as their share of the first. */
const ShortList = <Data, Row>({ title, answer, rows, heads, name, show, value, page }: ShortListProps<Data, Row>) => (
  <Panel title={title} class="half short-list" actions={<ToAll page={page} what={title} />} isBusy={answer.isLoading}>
    <Answered answer={answer} rows={ROWS}>
      {(data) => {
        const list = rows(data).slice(0, ROWS);
        const most = list[0] ? value(list[0]) : 0;
        const columns: Column<Row>[] = [
          { head: heads[0], value: name, show, bar: (row) => (most ? value(row) / most : 0) },
          { head: heads[1], value, isNumber: true },
        ];
        return list.length ? <Table caption={title} columns={columns} rows={list} /> : <Empty title={texts.nothing} />;
      }}
    </Answered>
  </Panel>
);

export const Overview = ({ params }: PageProps) => {
  const { range } = useView();
  const earlier = before(range);
  const now = useFigures('stats', read.stats);
  const then = useFigures('stats before', (scope) => read.stats(scope, earlier));
  const pages = useFigures('pages', (scope, days) => read.topPages(scope, days, ROWS));
  const sources = useFigures('acquisition', (scope, days) => read.acquisition(scope, days, ROWS));
  const audience = useFigures('audience', (scope, days) => read.audience(scope, days, ROWS));
  const clicks = useFigures('clicks', (scope, days) => read.clicks(scope, days, WORST));
  const here = useFigures('live', read.live);
  const measure = chosenOf(
    MEASURES.map(({ name }) => name),
    params.chart,
  );
  const stats = now.data?.data;
  const earlierStats = then.data?.data;
  const firstDay = earlierStats?.series?.[0]?.date;
  const isToday = range.from === toDay(Date.now());
  const isNothing = stats?.total_events === 0 && stats.total_sessions === 0;

  const [first, setFirst] = useState<First>('unknown');
  const change = (next: First) => {
    setFirst(next);
    if (next === 'arrived') for (const answer of [now, then, pages, sources, audience, clicks, here]) answer.again();
  };

  return (
    <>
      <section class="figures" aria-label={texts.figures} aria-busy={now.isLoading}>
        {now.failure && !now.isLoading ? (
          <Failed failure={now.failure} again={now.again} />
        ) : (
          <dl class={now.isLoading && stats ? 'is-stale' : ''}>
            {FIGURES.map(({ name, label, show, isPercent, isBetterLow }) => (
              <div key={name} class="figure-tile" data-figure={name}>
                <dt>{label}</dt>
                <dd class="figure-value">{stats ? show(stats[name]) : ' '}</dd>
                <dd class="figure-change">
                  {stats && earlierStats ? (
                    <Change
                      now={stats[name]}
                      then={earlierStats[name]}
                      isPercent={!!isPercent}
                      isBetterLow={!!isBetterLow}
                      hasBefore={earlierStats.total_sessions > 0}
                      isFair={firstDay === earlier.from && !isToday}
                    />
                  ) : (
                    ' '
                  )}
                </dd>
              </div>
            ))}
          </dl>
        )}
        <p class="note">
          {then.failure ? (
            texts.noComparison
          ) : (
            <>
              {texts.comparedWith(format.dayRange(earlier.from, earlier.to))}
              {firstDay && firstDay > earlier.from && texts.partlyBefore(format.day(firstDay))}
              {isToday && texts.wholeDay}
            </>
          )}
        </p>
      </section>

      {(isNothing || first !== 'unknown') && <FirstEvent first={first} onChange={change} />}

      {first !== 'waiting' && (
        <div class="grid">
          <Panel title={texts.byDay} class="wide by-day" actions={<Segments label={texts.measure} param="chart" choices={MEASURES} current={measure} />} isBusy={now.isLoading}>
            <Answered answer={now} rows={8}>
              {({ data }) => <ByDay now={data} then={earlierStats} range={range} measure={measure} />}
            </Answered>
          </Panel>

          <Panel title={texts.now} class="narrow now" actions={<ToAll page="live" what={texts.now} />}>
            <Answered answer={here} rows={ROWS + 2}>
              {({ data, count }) => (
                <>
                  <p class="big-count">
                    <span class="figure">{format.number(count)}</span> {count ? texts.people(count) : texts.nobody}
                  </p>
                  <ul class="live-list">
                    {data.slice(0, ROWS).map(({ visitor_id, current_page, geo_city, geo_country, browser_name }) => (
                      <li key={visitor_id}>
                        <SiteUrl url={current_page} />
                        <span class="note">{[geo_city ?? geo_country, browser_name].filter(Boolean).join(', ') || format.text(null)}</span>
                      </li>
                    ))}
                  </ul>
                </>
              )}
            </Answered>
          </Panel>

          <ShortList
            title={texts.topPages}
            answer={pages}
            page="pages"
            heads={[texts.page, texts.views]}
            rows={({ data }) => data.top_pages}
            name={({ url }) => url}
            show={({ url }) => <SiteUrl url={url} />}
            value={({ views }) => views}
          />
          <ShortList
            title={texts.sources}
            answer={sources}
            page="acquisition"
            heads={[texts.channel, texts.sessions]}
            rows={({ data }) => data.channels}
            name={({ channel }) => channel}
            show={({ channel }) => channel}
            value={({ sessions }) => sessions}
          />
          <ShortList
            title={texts.countries}
            answer={audience}
            page="audience"
            heads={[texts.country, texts.visitors]}
            rows={({ data }) => data.countries}
            name={({ country }) => country}
            show={({ country, country_code }) => country ?? format.country(country_code)}
            value={({ visitors }) => visitors}
          />
          <ShortList
            title={texts.browsers}
            answer={audience}
            page="audience"
            heads={[texts.browser, texts.visitors]}
            rows={({ data }) => data.browsers}
            name={({ browser }) => browser}
            show={({ browser }) => format.text(browser)}
            value={({ visitors }) => visitors}
          />

          <Panel
            title={texts.frustrations}
            class="full worst"
            note={texts.frustrationNote}
            actions={<ToAll page="frustration" what={texts.frustrations} />}
            isBusy={clicks.isLoading}
          >
            <Answered answer={clicks} rows={WORST}>
              {({ data }) =>
                data.rage_clicks.length ? (
                  <Table
                    caption={texts.frustrations}
                    rows={data.rage_clicks.slice(0, WORST)}
                    columns={[
                      { head: texts.element, value: ({ selector }) => selector, show: ({ selector }) => <code class="clip">{format.text(selector)}</code> },
                      { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
                      { head: texts.clicks, value: ({ count }) => count, isNumber: true },
                      { head: texts.visitors, value: ({ unique_visitors }) => unique_visitors, isNumber: true },
                    ]}
                  />
                ) : (
                  <Empty title={texts.noFrustration} />
                )
              }
            </Answered>
          </Panel>
        </div>
      )}
    </>
  );
};
