// One visitor: who it is, when it came, what it did last.

import * as read from '../api/read';
import { useView } from '../context';
import * as format from '../format';
import { useAnswer } from '../shared/answer';
import { EventData, Mark, isFrustrating, nameOf, summaryOf, urlOf, type AnyEvent } from '../shared/events';
import { Facts } from '../shared/facts';
import { Icon } from '../shared/icons';
import { Link, SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { events as eventTexts, session as sessionTexts, visitor as texts, visitors as listTexts } from '../texts';

/** A visitor with more is a bot for the API. */
const MOST_OF_A_HUMAN = 40;

const sessionColumns: Column<read.VisitorDetail['sessions'][number]>[] = [
  { head: texts.started, value: ({ started_at }) => started_at, show: ({ started_at, session_id }) => <Link to={['sessions', session_id]}>{format.instant(started_at)}</Link> },
  { head: texts.landing, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
  { head: texts.duration, value: ({ duration_ms }) => duration_ms, show: ({ duration_ms }) => format.duration(duration_ms), isNumber: true },
];

const eventColumns: Column<AnyEvent>[] = [
  {
    head: eventTexts.time,
    value: ({ created_at }) => created_at,
    show: ({ created_at }) => <time dateTime={new Date(created_at).toISOString()}>{format.exactInstant(created_at)}</time>,
  },
  {
    head: eventTexts.kind,
    value: ({ name }) => name,
    show: ({ name }) => (
      <span class="event-name">
        <Mark name={name} /> {nameOf(name)}
        {isFrustrating(name) && <span class="tag tag-bad">{sessionTexts.frustrating}</span>}
      </span>
    ),
  },
  { head: eventTexts.what, value: summaryOf, show: (event) => <EventData data={event.data} summary={summaryOf(event)} /> },
  { head: eventTexts.page, value: urlOf, show: (event) => <SiteUrl url={urlOf(event)} /> },
];

const yesOrNo = (value: number | null): string => (value === null ? format.text(null) : value ? texts.yes : texts.no);

export const VisitorDetail = ({ id }: { id: string }) => {
  const { project } = useView();
  const answer = useAnswer(`visitor ${project} ${id}`, (signal) => read.visitor({ project, signal }, id));
  return (
    <>
      <p class="back">
        <Link to={['visitors']}>← {texts.back}</Link>
      </p>
      <Answered answer={answer} rows={14}>
        {({ data }) => (
          <>
            <Panel title={data.visitor_id}>
              {data.bot_score > MOST_OF_A_HUMAN && (
                <p class="padded">
                  <Icon name="warning" /> {texts.bot}
                </p>
              )}
              <Facts
                facts={[
                  [listTexts.firstSeen, format.instant(data.first_seen_at)],
                  [listTexts.lastSeen, format.instant(data.last_seen_at)],
                  [listTexts.visits, format.number(data.visit_count)],
                  [texts.aliases, data.aliases.length ? data.aliases.join(', ') : texts.noAliases],
                  [listTexts.place, format.text([data.geo_city, data.geo_country].filter(Boolean).join(', '))],
                  [listTexts.browser, format.text([data.browser_name, data.browser_version].filter(Boolean).join(' '))],
                  [listTexts.os, format.text([data.os, data.mobile === null ? null : data.mobile ? texts.mobile : texts.desktop].filter(Boolean).join(', '))],
                  [texts.screen, data.screen_width && data.screen_height ? `${data.screen_width} × ${data.screen_height}` : format.text(null)],
                  [texts.language, data.language ? `${format.language(data.language)} (${data.language})` : format.text(null)],
                  [texts.timezone, format.text(data.timezone)],
                  [texts.adBlock, yesOrNo(data.ad_block)],
                  [texts.botScore, format.number(data.bot_score)],
                  [texts.fingerprint, <code class="clip">{format.text(data.fingerprint_hash)}</code>],
                ]}
              />
            </Panel>
            <Panel
              title={texts.sessions}
              note={texts.sessionsNote}
              actions={
                <>
                  <Link to={['sessions']} params={{ visitor_id: data.visitor_id }}>
                    {texts.allSessions}
                  </Link>
                  <CsvButton name={`${texts.sessions} ${data.visitor_id}`} columns={sessionColumns} rows={data.sessions} />
                </>
              }
            >
              {data.sessions.length ? <Table caption={texts.sessions} columns={sessionColumns} rows={data.sessions} first={10} /> : <Empty title={texts.noSessions} />}
            </Panel>
            <Panel title={texts.events} note={texts.eventsNote} actions={<CsvButton name={`${texts.events} ${data.visitor_id}`} columns={eventColumns} rows={data.events} />}>
              {data.events.length ? <Table caption={texts.events} columns={eventColumns} rows={data.events} first={25} /> : <Empty title={texts.noEvents} />}
            </Panel>
          </>
        )}
      </Answered>
    </>
  );
};
