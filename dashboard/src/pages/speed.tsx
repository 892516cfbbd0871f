// Web Vitals: how quick the site is for its visitors, against web.dev's thresholds.

import * as read from '../api/read';
import * as format from '../format';
import { SiteUrl } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { speed as texts } from '../texts';

type Name = 'lcp' | 'inp' | 'cls' | 'fcp' | 'ttfb' | 'fid';

/** Good up to the first, poor above the second: as the API counts them. */
const BOUNDS: Record<Name, [number, number]> = { lcp: [2500, 4000], inp: [200, 500], cls: [0.1, 0.25], fcp: [1800, 3000], ttfb: [800, 1800], fid: [100, 300] };
const NAMES = Object.keys(BOUNDS) as Name[];

const show = (name: Name, value: number): string => (name === 'cls' ? format.number(value) : format.inMilliseconds(value));

type Rating = 'good' | 'needs' | 'poor' | 'none';

const ratingOf = (name: Name, { p75 }: read.Vital): Rating => {
  if (p75 === null) return 'none';
  const [good, poor] = BOUNDS[name];
  return p75 <= good ? 'good' : p75 <= poor ? 'needs' : 'poor';
};

interface VitalRow extends read.Vital {
  name: Name;
}

const columns: Column<VitalRow>[] = [
  { head: texts.vital, value: ({ name }) => name.toUpperCase(), show: ({ name }) => `${texts.names[name]} (${name.toUpperCase()})` },
  { head: texts.p75, value: ({ p75 }) => p75, show: ({ name, p75 }) => (p75 === null ? format.text(null) : show(name, p75)), isNumber: true },
  { head: texts.rating, value: (row) => texts.ratings[ratingOf(row.name, row)] },
  { head: texts.ratings.good, value: ({ good }) => good, show: ({ good, samples }) => `${format.number(good)} (${format.share(good, samples)})`, isNumber: true },
  {
    head: texts.ratings.needs,
    value: (row) => row.needs_improvement,
    show: (row) => `${format.number(row.needs_improvement)} (${format.share(row.needs_improvement, row.samples)})`,
    isNumber: true,
  },
  { head: texts.ratings.poor, value: ({ poor }) => poor, show: ({ poor, samples }) => `${format.number(poor)} (${format.share(poor, samples)})`, isNumber: true },
  { head: texts.count, value: ({ samples }) => samples, isNumber: true },
];

/** Shares side by side, told apart by pattern as well as by colour. */
const Shares = ({ good, needs_improvement, poor, samples }: read.Vital) => {
  const of = (part: number) => (samples ? (part / samples) * 100 : 0);
  return (
    <svg class="shares" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="share-good" x="0" width={of(good)} height="8" />
      <rect class="share-needs" x={of(good)} y="1.5" width={of(needs_improvement)} height="5" />
      <rect class="share-poor" x={of(good + needs_improvement)} y="3" width={of(poor)} height="2" />
    </svg>
  );
};

const MARKS: Record<Rating, string> = { good: '●', needs: '■', poor: '▲', none: '○' };

const VitalTile = ({ vital }: { vital: VitalRow }) => {
  const { name, p75, samples } = vital;
  const rating = ratingOf(name, vital);
  const [good, poor] = BOUNDS[name];
  return (
    <li class={`vital is-${rating}`}>
      <h3>
        {texts.names[name]} <abbr>{name.toUpperCase()}</abbr>
      </h3>
      <p class="vital-value figure">{p75 === null ? format.text(null) : show(name, p75)}</p>
      <p class="vital-rating">
        <span aria-hidden="true">{MARKS[rating]}</span> {texts.ratings[rating]}
      </p>
      <Shares {...vital} />
      <p class="note">
        {texts.bounds(show(name, good), show(name, poor))}. {texts.samples(samples)}.
      </p>
    </li>
  );
};

export const Speed = () => {
  const answer = useFigures('metrics', read.metrics);
  const vitals = answer.data?.data.web_vitals;
  const rows: VitalRow[] = NAMES.flatMap((name) => {
    const vital = vitals?.[name];
    return vital ? [{ name, ...vital }] : [];
  });
  const pageColumns: Column<{ url: string; views: number; unique_visitors: number }>[] = [
    { head: texts.page, value: ({ url }) => url, show: ({ url }) => <SiteUrl url={url} /> },
    { head: texts.views, value: ({ views }) => views, isNumber: true },
    { head: texts.visitors, value: ({ unique_visitors }) => unique_visitors, isNumber: true },
  ];
  return (
    <>
      <Panel title={texts.vitals} note={texts.note} isBusy={answer.isLoading} actions={<CsvButton name={texts.vitals} columns={columns} rows={rows} />}>
        <Answered answer={answer} rows={12}>
          {() =>
            rows.some(({ samples }) => samples) ? (
              <>
                <ul class="vitals">
                  {rows.map((vital) => (
                    <VitalTile key={vital.name} vital={vital} />
                  ))}
                </ul>
                <Table caption={texts.vitals} columns={columns} rows={rows} />
              </>
            ) : (
              <Empty title={texts.nothing}>{texts.nothingAdvice}</Empty>
            )
          }
        </Answered>
      </Panel>
      <Panel
        title={texts.topPages}
        isBusy={answer.isLoading}
        note={answer.data && texts.visits(format.duration(answer.data.data.avg_session_duration_ms), format.percent(answer.data.data.bounce_rate))}
        actions={<CsvButton name={texts.topPages} columns={pageColumns} rows={answer.data?.data.top_pages ?? []} />}
      >
        <Answered answer={answer}>
          {({ data }) => (data.top_pages.length ? <Table caption={texts.topPages} columns={pageColumns} rows={data.top_pages} first={10} /> : <Empty title={texts.noViews} />)}
        </Answered>
      </Panel>
    </>
  );
};
