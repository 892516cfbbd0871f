// Where visitors come from: channels, links, campaigns.

import * as read from '../api/read';
import * as format from '../format';
import type { PageProps } from '../page-props';
import { Panel } from '../shared/panel';
import { useFigures } from '../shared/query';
import { Segments, chosenOf } from '../shared/segments';
import { Answered, Empty } from '../shared/states';
import { CsvButton, Table, type Column } from '../shared/table';
import { acquisition as texts } from '../texts';

const FIRST = 20;
const DIMENSIONS = ['campaign', 'source', 'medium', 'term', 'content'] as const;

type Data = Awaited<ReturnType<typeof read.acquisition>>['data'];

const channelColumns = (most: number): Column<Data['channels'][number]>[] => [
  { head: texts.channel, value: ({ channel }) => channel, bar: ({ sessions }) => (most ? sessions / most : 0) },
  { head: texts.sessions, value: ({ sessions }) => sessions, isNumber: true },
  { head: texts.share, value: ({ share }) => share, show: ({ share }) => format.percent(share), isNumber: true },
];

const referrerColumns = (most: number): Column<Data['referrers'][number]>[] => [
  {
    head: texts.referrer,
    value: ({ referrer }) => referrer,
    show: ({ referrer }) => (
      <span class="clip" title={referrer}>
        {referrer}
      </span>
    ),
    bar: ({ sessions }) => (most ? sessions / most : 0),
  },
  { head: texts.sessions, value: ({ sessions }) => sessions, isNumber: true },
];

const campaignColumns = (head: string, most: number): Column<Data['utm']['source'][number]>[] => [
  {
    head,
    value: ({ value }) => value,
    show: ({ value }) => (
      <span class="clip" title={value}>
        {value}
      </span>
    ),
    bar: ({ sessions }) => (most ? sessions / most : 0),
  },
  { head: texts.sessions, value: ({ sessions }) => sessions, isNumber: true },
];

export const Acquisition = ({ params }: PageProps) => {
  const dimension = chosenOf(DIMENSIONS, params.by);
  const answer = useFigures('acquisition', (scope, range) => read.acquisition(scope, range));
  const data = answer.data?.data;
  const campaigns = data?.utm[dimension] ?? [];
  const referrers = data?.referrers ?? [];
  const ofChannels = channelColumns(data?.channels[0]?.sessions ?? 0);
  const ofReferrers = referrerColumns(referrers[0]?.sessions ?? 0);
  const ofCampaigns = campaignColumns(texts.dimensions[dimension], campaigns[0]?.sessions ?? 0);
  return (
    <div class="grid">
      <Panel title={texts.channels} class="half" isBusy={answer.isLoading} actions={<CsvButton name={texts.channels} columns={ofChannels} rows={data?.channels ?? []} />}>
        <Answered answer={answer} rows={10}>
          {({ data: { channels } }) => (channels.length ? <Table caption={texts.channels} columns={ofChannels} rows={channels} first={FIRST} /> : <Empty title={texts.nothing} />)}
        </Answered>
      </Panel>
      <Panel title={texts.referrers} class="half" isBusy={answer.isLoading} actions={<CsvButton name={texts.referrers} columns={ofReferrers} rows={referrers} />}>
        <Answered answer={answer} rows={10}>
          {() => (referrers.length ? <Table caption={texts.referrers} columns={ofReferrers} rows={referrers} first={FIRST} /> : <Empty title={texts.noReferrers} />)}
        </Answered>
      </Panel>
      <Panel
        title={texts.campaigns}
        class="full"
        isBusy={answer.isLoading}
        actions={
          <>
            <Segments label={texts.dimension} param="by" choices={DIMENSIONS.map((name) => ({ name, text: texts.dimensions[name] }))} current={dimension} />
            <CsvButton name={`${texts.campaigns} ${texts.dimensions[dimension]}`} columns={ofCampaigns} rows={campaigns} />
          </>
        }
      >
        <Answered answer={answer}>
          {() =>
            campaigns.length ? (
              <Table key={dimension} caption={texts.campaigns} columns={ofCampaigns} rows={campaigns} first={FIRST} />
            ) : (
              <Empty title={texts.noCampaigns}>{texts.noCampaignsAdvice}</Empty>
            )
          }
        </Answered>
      </Panel>
    </div>
  );
};
