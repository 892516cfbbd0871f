// The pages of the site: how often they are viewed, how they are read, what search engines would object to.

import * as read from '../api/read';
import * as format from '../format';
import type { PageProps } from '../page-props';
import { SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Segments, chosenOf } from '../shared/segments';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { pages as texts } from '../texts';

const FIRST = 25;
const TABS = ['views', 'reading', 'seo'] as const;

type TopPage = Awaited<ReturnType<typeof read.topPages>>['data']['top_pages'][number];
type Reading = Awaited<ReturnType<typeof read.reading>>['data'][number];
type SeoPage = Awaited<ReturnType<typeof read.seo>>['data']['pages'][number];
type SeoIssue = Awaited<ReturnType<typeof read.seo>>['data']['issues'][number];

const viewColumns = (most: number): Column<TopPage>[] => [
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} />, bar: ({ views }) => (most ? views / most : 0) },
  { head: texts.views, value: ({ views }) => views, isNumber: true },
  { head: texts.uniqueVisitors, value: ({ unique_visitors }) => unique_visitors, isNumber: true },
];

const Views = () => {
  const answer = useFigures('pages', (scope, range) => read.topPages(scope, range));
  const rows = answer.data?.data.top_pages ?? [];
  const columns = viewColumns(rows[0]?.views ?? 0);
  return (
    <Panel
      title={texts.views}
      isBusy={answer.isLoading}
      note={answer.data && texts.perSession(format.decimal(answer.data.data.avg_pages_per_session))}
      actions={<CsvButton name={texts.views} columns={columns} rows={rows} />}
    >
      <Answered answer={answer} rows={16}>
        {() => (rows.length ? <Table caption={texts.views} columns={columns} rows={rows} first={FIRST} /> : <Empty title={texts.noViews} />)}
      </Answered>
    </Panel>
  );
};

const readingColumns: Column<Reading>[] = [
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
  { head: texts.reads, value: ({ reads }) => reads, isNumber: true },
  {
    head: texts.depth,
    value: ({ avg_scroll_depth }) => avg_scroll_depth,
    show: ({ avg_scroll_depth }) => format.percent(avg_scroll_depth),
    isNumber: true,
    bar: ({ avg_scroll_depth }) => avg_scroll_depth / 100,
  },
  { head: texts.active, value: ({ avg_active_time_ms }) => avg_active_time_ms, show: ({ avg_active_time_ms }) => format.duration(avg_active_time_ms), isNumber: true },
  {
    head: texts.attention,
    value: ({ attention_percent }) => attention_percent,
    show: ({ attention_percent }) => format.percent(attention_percent),
    isNumber: true,
    bar: ({ attention_percent }) => attention_percent / 100,
  },
  { head: texts.velocity, value: ({ avg_scroll_velocity }) => avg_scroll_velocity, show: ({ avg_scroll_velocity }) => format.decimal(avg_scroll_velocity), isNumber: true },
];

const ReadingTab = () => {
  const answer = useFigures('reading', read.reading);
  return (
    <Panel
      title={texts.reading}
      isBusy={answer.isLoading}
      note={texts.readingNote}
      actions={<CsvButton name={texts.reading} columns={readingColumns} rows={answer.data?.data ?? []} />}
    >
      <Answered answer={answer} rows={16}>
        {({ data }) => (data.length ? <Table caption={texts.reading} columns={readingColumns} rows={data} first={FIRST} /> : <Empty title={texts.noReads} />)}
      </Answered>
    </Panel>
  );
};

const issueName = (code: string): string => (Object.hasOwn(texts.names, code) ? (texts.names[code] ?? code) : code);

const issueColumns: Column<SeoIssue>[] = [
  { head: texts.issue, value: ({ issue }) => issue, show: ({ issue }) => issueName(issue) },
  { head: texts.pageCount, value: ({ pages }) => pages, isNumber: true },
];

const seoColumns: Column<SeoPage>[] = [
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
  {
    head: texts.findings,
    value: ({ issues }) => issues.join(', '),
    show: ({ issues }) =>
      issues.length ? (
        <ul class="tags">
          {issues.map((issue) => (
            <li key={issue} class="tag">
              {issueName(issue)}
            </li>
          ))}
        </ul>
      ) : (
        texts.noIssues
      ),
  },
  {
    head: texts.title,
    value: ({ title }) => title,
    show: ({ title }) => (
      <span class="clip" title={title ?? ''}>
        {format.text(title)}
      </span>
    ),
    isShort: true,
  },
  { head: texts.titleLength, value: ({ title_length }) => title_length, isNumber: true },
  { head: texts.descriptionLength, value: ({ meta_description_length }) => meta_description_length, isNumber: true },
  { head: texts.headings, value: ({ h1_count }) => h1_count, isNumber: true },
  { head: texts.images, value: ({ images_missing_alt }) => images_missing_alt, isNumber: true },
  { head: texts.checked, value: ({ checked_at }) => checked_at, show: ({ checked_at }) => format.instant(checked_at) },
];

const SeoTab = () => {
  const answer = useFigures('seo', read.seo);
  const data = answer.data?.data;
  return (
    <>
      <Panel title={texts.issues} isBusy={answer.isLoading} actions={<CsvButton name={texts.issues} columns={issueColumns} rows={data?.issues ?? []} />}>
        <Answered answer={answer}>
          {({ data: { issues } }) => (issues.length ? <Table caption={texts.issues} columns={issueColumns} rows={issues} /> : <Empty title={texts.noIssues} />)}
        </Answered>
      </Panel>
      <Panel title={texts.byPage} isBusy={answer.isLoading} actions={<CsvButton name={texts.byPage} columns={seoColumns} rows={data?.pages ?? []} />}>
        <Answered answer={answer} rows={10}>
          {({ data: { pages } }) => (pages.length ? <Table caption={texts.byPage} columns={seoColumns} rows={pages} first={FIRST} /> : <Empty title={texts.noSeo} />)}
        </Answered>
      </Panel>
    </>
  );
};

export const Pages = ({ params }: PageProps) => {
  const tab = chosenOf(TABS, params.tab);
  return (
    <>
      <Segments label={texts.tabs} param="tab" choices={TABS.map((name) => ({ name, text: texts[name] }))} current={tab} />
      {tab === 'views' && <Views />}
      {tab === 'reading' && <ReadingTab />}
      {tab === 'seo' && <SeoTab />}
    </>
  );
};
