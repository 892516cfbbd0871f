// A session as a timeline: what happened on a scale of time, and the same in order as a table.

import * as read from '../api/read';
import { useView } from '../context';
import * as format from '../format';
import { useAnswer } from '../shared/answer';
import { EventData, Mark, isFrustrating, kindOf, nameOf, summaryOf, urlOf, type Kind } from '../shared/events';
import { Facts } from '../shared/facts';
import { Icon } from '../shared/icons';
import { Link, SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { events as eventTexts, session as texts, sessions as sessionFacts } from '../texts';

const LANES: Kind[] = ['page', 'click', 'error', 'form', 'other'];

/** Steps of the scale, in seconds: one is taken that gives at most MOST_TICKS. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];
const MOST_TICKS = 8;

const ticksOf = (length: number): number[] => {
  const step = (STEPS.find((seconds) => length / 1000 / seconds <= MOST_TICKS) ?? 14_400) * 1000;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
};

/** Pages are as wide as the time until the next one; everything else is a point. */
const Lane = ({ kind, detail, length }: { kind: Kind; detail: read.SessionDetail; length: number }) => {
  const events = detail.events.filter(({ name }) => kindOf(name) === kind);
  if (!events.length) return null;
  const place = (instant: number) => `${Math.max(0, Math.min(100, ((instant - detail.started_at) / length) * 100))}%`;
  return (
    <div class="lane">
      <span class="lane-name">{texts.lanes[kind]}</span>
      <div class="lane-track">
        {events.map((event, index) => {
          const title = `${format.offset(event.created_at - detail.started_at)} ${nameOf(event.name)} ${summaryOf(event)}`;
          if (kind !== 'page') {
            return (
              <span key={event.id} class="lane-point" title={title} style={{ left: place(event.created_at) }}>
                <Mark name={event.name} />
              </span>
            );
          }
          const end = events[index + 1]?.created_at ?? detail.ended_at;
          return (
            <span key={event.id} class="lane-span" title={title} style={{ left: place(event.created_at), width: `${(Math.max(0, end - event.created_at) / length) * 100}%` }}>
              {urlOf(event)}
            </span>
          );
        })}
      </div>
    </div>
  );
};

const Timeline = ({ detail }: { detail: read.SessionDetail }) => {
  const length = Math.max(1000, detail.ended_at - detail.started_at);
  return (
    <div class="timeline" aria-hidden="true">
      {LANES.map((kind) => (
        <Lane key={kind} kind={kind} detail={detail} length={length} />
      ))}
      <div class="lane lane-scale">
        <span class="lane-name" />
        <div class="lane-track">
          {ticksOf(length).map((tick) => (
            <span key={tick} class="tick" style={{ left: `${(tick / length) * 100}%` }}>
              {format.offset(tick)}
            </span>
          ))}
        </div>
      </div>
    </div>
  );
};

const columnsOf = (startedAt: number): Column<read.TrackedEvent>[] => [
  {
    head: eventTexts.offset,
    value: ({ created_at }) => created_at,
    show: ({ created_at }) => <time dateTime={new Date(created_at).toISOString()}>{format.offset(created_at - startedAt)}</time>,
  },
  {
    head: eventTexts.kind,
    value: ({ name }) => name,
    show: ({ name }) => (
      <span class="event-name">
        <Mark name={name} /> {nameOf(name)}
        {isFrustrating(name) && <span class="tag tag-bad">{texts.frustrating}</span>}
      </span>
    ),
  },
  { head: eventTexts.what, value: summaryOf, show: (event) => <EventData data={event.data} summary={summaryOf(event)} /> },
  { head: eventTexts.page, value: urlOf, show: (event) => <SiteUrl url={urlOf(event)} /> },
];

export const SessionDetail = ({ id }: { id: string }) => {
  const { project } = useView();
  const answer = useAnswer(`session ${project} ${id}`, (signal) => read.session({ project, signal }, id));
  return (
    <>
      <p class="back">
        <Link to={['sessions']}>← {texts.back}</Link>
      </p>
      <Answered answer={answer} rows={14}>
        {({ data: detail }) => {
          const columns = columnsOf(detail.started_at);
          const campaign = [detail.utm_source, detail.utm_medium, detail.utm_campaign, detail.utm_term, detail.utm_content].filter(Boolean).join(' / ');
          return (
            <>
              <Panel title={`${texts.about} ${detail.session_id}`}>
                <Facts
                  facts={[
                    [texts.visitor, <Link to={['visitors', detail.visitor_id]}>{detail.visitor_id}</Link>],
                    [sessionFacts.started, format.instant(detail.started_at)],
                    [texts.ended, format.instant(detail.ended_at)],
                    [sessionFacts.duration, format.duration(detail.duration_ms)],
                    [sessionFacts.landing, <SiteUrl url={detail.url} />],
                    [sessionFacts.referrer, detail.referrer ? <SiteUrl url={detail.referrer} /> : format.text(null)],
                    [texts.campaign, format.text(campaign)],
                    [sessionFacts.pageViews, format.number(detail.page_views ?? 0)],
                    [texts.events, format.number(detail.event_count ?? 0)],
                    [sessionFacts.clicks, detail.click_count === null ? format.text(null) : format.number(detail.click_count)],
                    [sessionFacts.scroll, detail.max_scroll_depth === null ? format.text(null) : format.wholePercent(detail.max_scroll_depth)],
                    [sessionFacts.device, format.text([detail.browser_name, detail.os].filter(Boolean).join(', '))],
                    [sessionFacts.place, format.text([detail.geo_city, detail.geo_country_code && format.country(detail.geo_country_code)].filter(Boolean).join(', '))],
                  ]}
                />
              </Panel>
              {detail.events.length ? (
                <>
                  <Panel title={texts.timeline} note={texts.timelineNote}>
                    <Timeline detail={detail} />
                  </Panel>
                  <Panel title={texts.inOrder} actions={<CsvButton name={`${texts.about} ${detail.session_id}`} columns={columns} rows={detail.events} />}>
                    <Table caption={texts.inOrder} columns={columns} rows={detail.events} />
                    {detail.event_count !== undefined && detail.event_count > detail.events.length && (
                      <p class="note">
                        <Icon name="warning" /> {texts.dropped(detail.event_count - detail.events.length)}
                      </p>
                    )}
                  </Panel>
                </>
              ) : (
                <Panel title={texts.timeline}>
                  <Empty title={texts.noEvents} />
                </Panel>
              )}
            </>
          );
        }}
      </Answered>
    </>
  );
};
