// Where forms are left, and at which fields people hesitate.

import * as read from '../api/read';
import * as format from '../format';
import { SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { forms as texts } from '../texts';

const FIRST = 20;

type Data = Awaited<ReturnType<typeof read.forms>>['data'];

const abandonColumns = (most: number): Column<Data['abandonment'][number]>[] => [
  { head: texts.form, value: ({ form }) => form, bar: ({ abandons }) => (most ? abandons / most : 0) },
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
  { head: texts.abandons, value: ({ abandons }) => abandons, isNumber: true },
  { head: texts.time, value: ({ avg_time_spent_ms }) => avg_time_spent_ms, show: ({ avg_time_spent_ms }) => format.duration(avg_time_spent_ms), isNumber: true },
  { head: texts.lastField, value: ({ last_field }) => last_field },
];

const hesitationColumns = (most: number): Column<Data['hesitation'][number]>[] => [
  { head: texts.field, value: ({ field }) => field, bar: ({ count }) => (most ? count / most : 0) },
  { head: texts.form, value: ({ form }) => form },
  { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
  { head: texts.count, value: ({ count }) => count, isNumber: true },
  { head: texts.pause, value: ({ avg_hesitation_ms }) => avg_hesitation_ms, show: ({ avg_hesitation_ms }) => format.duration(avg_hesitation_ms), isNumber: true },
];

export const Forms = () => {
  const answer = useFigures('forms', read.forms);
  const { abandonment = [], hesitation = [] } = answer.data?.data ?? {};
  const ofAbandonment = abandonColumns(abandonment[0]?.abandons ?? 0);
  const ofHesitation = hesitationColumns(hesitation[0]?.count ?? 0);
  return (
    <>
      <Panel title={texts.abandonment} isBusy={answer.isLoading} actions={<CsvButton name={texts.abandonment} columns={ofAbandonment} rows={abandonment} />}>
        <Answered answer={answer}>
          {() => (abandonment.length ? <Table caption={texts.abandonment} columns={ofAbandonment} rows={abandonment} first={FIRST} /> : <Empty title={texts.noAbandons} />)}
        </Answered>
      </Panel>
      <Panel
        title={texts.hesitation}
        note={texts.hesitationNote}
        isBusy={answer.isLoading}
        actions={<CsvButton name={texts.hesitation} columns={ofHesitation} rows={hesitation} />}
      >
        <Answered answer={answer}>
          {() => (hesitation.length ? <Table caption={texts.hesitation} columns={ofHesitation} rows={hesitation} first={FIRST} /> : <Empty title={texts.noHesitation} />)}
        </Answered>
      </Panel>
    </>
  );
};
