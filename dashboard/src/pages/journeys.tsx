// How visitors go from page to page, where sessions begin and where they end.

import * as read from '../api/read';
import { SiteUrl } from '../shared/link';
import { FlowPicture, type Flow } from '../shared/flow';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { journeys as texts } from '../texts';

const FIRST = 20;
/** What the picture holds before it becomes a tangle. */
const WAYS = 18;
const ENDS = 6;

type Data = Awaited<ReturnType<typeof read.journeys>>['data'];

const wayColumns = (most: number): Column<Data['transitions'][number]>[] => [
  { head: texts.from, value: ({ from }) => from, show: ({ from }) => <SiteUrl url={from} />, bar: ({ count }) => (most ? count / most : 0) },
  { head: texts.to, value: ({ to }) => to, show: ({ to }) => <SiteUrl url={to} /> },
  { head: texts.count, value: ({ count }) => count, isNumber: true },
];

const endColumns = (most: number): Column<Data['entry_pages'][number]>[] => [
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} />, bar: ({ count }) => (most ? count / most : 0) },
  { head: texts.sessions, value: ({ count }) => count, isNumber: true },
];

const flowsOf = ({ transitions, entry_pages, exit_pages }: Data): Flow[] => [
  ...entry_pages.slice(0, ENDS).map(({ url, count }): Flow => ({ from: texts.entry, to: url, count, kind: 'entry' })),
  ...transitions.slice(0, WAYS).map(({ from, to, count }): Flow => ({ from, to: to ?? texts.elsewhere, count, kind: 'way' })),
  ...exit_pages.slice(0, ENDS).map(({ url, count }): Flow => ({ from: url, to: texts.exit, count, kind: 'exit' })),
];

export const Journeys = () => {
  const answer = useFigures('journeys', read.journeys);
  const { transitions = [], entry_pages = [], exit_pages = [] } = answer.data?.data ?? {};
  const ofWays = wayColumns(transitions[0]?.count ?? 0);
  const ofEntries = endColumns(entry_pages[0]?.count ?? 0);
  const ofExits = endColumns(exit_pages[0]?.count ?? 0);
  return (
    <div class="grid">
      <Panel title={texts.title} class="full" note={texts.note(Math.min(WAYS, transitions.length))} isBusy={answer.isLoading}>
        <Answered answer={answer} rows={14}>
          {({ data }) => (data.transitions.length || data.entry_pages.length ? <FlowPicture flows={flowsOf(data)} /> : <Empty title={texts.nothing} />)}
        </Answered>
      </Panel>
      <Panel title={texts.transitions} class="full" isBusy={answer.isLoading} actions={<CsvButton name={texts.transitions} columns={ofWays} rows={transitions} />}>
        <Answered answer={answer} rows={10}>
          {() => (transitions.length ? <Table caption={texts.transitions} columns={ofWays} rows={transitions} first={FIRST} /> : <Empty title={texts.nothing} />)}
        </Answered>
      </Panel>
      <Panel title={texts.entries} class="half" isBusy={answer.isLoading} actions={<CsvButton name={texts.entries} columns={ofEntries} rows={entry_pages} />}>
        <Answered answer={answer}>
          {() => (entry_pages.length ? <Table caption={texts.entries} columns={ofEntries} rows={entry_pages} first={FIRST} /> : <Empty title={texts.nothing} />)}
        </Answered>
      </Panel>
      <Panel title={texts.exits} class="half" isBusy={answer.isLoading} actions={<CsvButton name={texts.exits} columns={ofExits} rows={exit_pages} />}>
        <Answered answer={answer}>
          {() => (exit_pages.length ? <Table caption={texts.exits} columns={ofExits} rows={exit_pages} first={FIRST} /> : <Empty title={texts.nothing} />)}
        </Answered>
      </Panel>
    </div>
  );
};
