// Who visitors are, as far as their browsers tell.

import type { ComponentChildren } from 'preact';
import * as read from '../api/read';
import * as format from '../format';
import { Link } from '../shared/link';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { audience as texts } from '../texts';

const FIRST = 10;

type Lists = read.Audience;
type RowOf<Name extends keyof Lists> = Lists[Name][number];

interface ListOf<Name extends keyof Lists> {
  name: Name;
  value: (row: RowOf<Name>) => string | null;
  show?: (row: RowOf<Name>) => ComponentChildren;
}

const Unknown = () => <span class="unknown">{texts.unknown}</span>;

/** To the visitors that make up the row: the list of visitors knows the same filters. */
const ToVisitors = ({ filter, children }: { filter: Record<string, string>; children: ComponentChildren }) => (
  <Link to={['visitors']} params={filter}>
    {children}
  </Link>
);

const AudienceList = <Name extends keyof Lists>({ list, rows }: { list: ListOf<Name>; rows: RowOf<Name>[] }) => {
  const { name, value, show } = list;
  const most = rows[0]?.visitors ?? 0;
  const columns: Column<RowOf<Name>>[] = [
    { head: texts.name[name], value, show: (row) => (value(row) === null ? <Unknown /> : (show?.(row) ?? value(row))), bar: ({ visitors }) => (most ? visitors / most : 0) },
    { head: texts.visitors, value: ({ visitors }) => visitors, isNumber: true },
    { head: texts.sessions, value: ({ sessions }) => sessions, isNumber: true },
  ];
  return (
    <Panel title={texts[name]} class="half" actions={<CsvButton name={texts[name]} columns={columns} rows={rows} />}>
      {rows.length ? <Table caption={texts[name]} columns={columns} rows={rows} first={FIRST} /> : <Empty title={texts.nothing} />}
    </Panel>
  );
};

const countries: ListOf<'countries'> = {
  name: 'countries',
  value: ({ country, country_code }) => country ?? country_code,
  show: ({ country, country_code }) => (country_code ? <ToVisitors filter={{ country: country_code }}>{country ?? format.country(country_code)}</ToVisitors> : country),
};
const cities: ListOf<'cities'> = { name: 'cities', value: ({ city }) => city, show: ({ city, country_code }) => [city, country_code].filter(Boolean).join(', ') };
const browsers: ListOf<'browsers'> = {
  name: 'browsers',
  value: ({ browser }) => browser,
  show: ({ browser }) => <ToVisitors filter={{ browser: browser ?? '' }}>{browser}</ToVisitors>,
};
const systems: ListOf<'systems'> = { name: 'systems', value: ({ os }) => os, show: ({ os }) => <ToVisitors filter={{ os: os ?? '' }}>{os}</ToVisitors> };
const devices: ListOf<'devices'> = {
  name: 'devices',
  value: ({ device }) => device,
  show: ({ device }) => (device && Object.hasOwn(texts.deviceNames, device) ? texts.deviceNames[device] : device),
};
const languages: ListOf<'languages'> = { name: 'languages', value: ({ language }) => language, show: ({ language }) => format.language(language) };
const screens: ListOf<'screens'> = { name: 'screens', value: ({ screen }) => screen, show: ({ screen }) => screen?.replace(/^(\d+)x(\d+)$/, '$1 × $2') };

export const Audience = () => {
  const answer = useFigures('audience', (scope, range) => read.audience(scope, range));
  return (
    <Answered answer={answer} rows={16}>
      {({ data }) => (
        <div class="grid">
          <AudienceList list={countries} rows={data.countries} />
          <AudienceList list={cities} rows={data.cities} />
          <AudienceList list={browsers} rows={data.browsers} />
          <AudienceList list={systems} rows={data.systems} />
          <AudienceList list={languages} rows={data.languages} />
          <AudienceList list={screens} rows={data.screens} />
          <AudienceList list={devices} rows={data.devices} />
        </div>
      )}
    </Answered>
  );
};
