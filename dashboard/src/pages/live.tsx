// Who is here now, asked anew while somebody looks.

import * as read from '../api/read';
import * as format from '../format';
import { useView } from '../context';
import { useAnswer, useTimer } from '../shared/answer';
import { Link, SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { live as texts } from '../texts';

const REFRESH = 10_000;

const columns: Column<read.LiveVisitor>[] = [
  { head: texts.visitor, value: ({ visitor_id }) => visitor_id, show: ({ visitor_id }) => <Link to={['visitors', visitor_id]}>{visitor_id}</Link> },
  { head: texts.page, value: ({ current_page }) => current_page, show: ({ current_page }) => <SiteUrl url={current_page} /> },
  { head: texts.seen, value: ({ last_seen_at }) => last_seen_at ?? null, show: ({ last_seen_at }) => (last_seen_at ? format.ago(last_seen_at, Date.now()) : format.text(null)) },
  { head: texts.browser, value: ({ browser_name }) => browser_name },
  { head: texts.place, value: ({ geo_city, geo_country }) => [geo_city, geo_country].filter(Boolean).join(', ') || null },
  {
    head: texts.session,
    value: ({ session_id }) => session_id ?? null,
    show: ({ session_id }) => (session_id ? <Link to={['sessions', session_id]}>{session_id}</Link> : format.text(null)),
  },
];

export const Live = () => {
  const { project } = useView();
  const answer = useAnswer(`live ${project}`, (signal) => read.live({ project, signal }));
  useTimer(answer.again, REFRESH);
  const data = answer.data?.data ?? [];
  return (
    <Panel title={texts.title} note={answer.data && texts.note(answer.data.count)} actions={<CsvButton name={texts.title} columns={columns} rows={data} />}>
      {/* What is shown stays while it is asked for anew, and is not dimmed each time. */}
      <Answered answer={answer.data ? { ...answer, isLoading: false } : answer}>
        {({ data: rows, count }) =>
          rows.length ? (
            <>
              <Table caption={texts.title} columns={columns} rows={rows} />
              {count > rows.length && <p class="note">{texts.mostOnly(rows.length)}</p>}
            </>
          ) : (
            <Empty title={texts.nobody}>{texts.nobodyAdvice}</Empty>
          )
        }
      </Answered>
    </Panel>
  );
};
