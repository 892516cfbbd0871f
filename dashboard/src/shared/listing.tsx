// A list that is filtered, read page by page, and saved whole.

import { MOST, PAGE, type Listing as Rows, type Scope } from '../api/read';
import { useView } from '../context';
import type { Range } from '../range';
import { Filters, type Field } from './filters';
import { Panel } from './panel';
import { useFigures } from './query';
import { Answered, Empty } from './states';
import { AllCsvButton, Pager, Table, pageOf, type Column } from './table';

interface Props<Row> {
  /** `file` names what is saved; `nothing` and its advice are for no rows. */
  texts: { title: string; file: string; nothing: string; nothingAdvice: string };
  columns: Column<Row>[];
  fields: Field[];
  params: Record<string, string>;
  read: (scope: Scope, range: Range, filters: Record<string, string | undefined>, rows: { page: number; limit: number }) => Promise<Rows<Row>>;
}

export const Listing = <Row,>({ texts, columns, fields, params, read }: Props<Row>) => {
  const { project, range } = useView();
  const filters = Object.fromEntries(fields.map(({ name }) => [name, params[name]]));
  const page = pageOf(params);
  const answer = useFigures(JSON.stringify([texts.file, filters, page]), (scope, days) => read(scope, days, filters, { page, limit: PAGE }));
  return (
    <Panel
      title={texts.title}
      isBusy={answer.isLoading}
      actions={
        <AllCsvButton
          name={texts.file}
          columns={columns}
          total={answer.data?.pagination.total ?? 0}
          read={(next) => read({ project, signal: new AbortController().signal }, range, filters, { page: next, limit: MOST })}
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
