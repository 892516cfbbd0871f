// For whom the figures are to go elsewhere, or to come: keys, a request to try, the line for the site.

import { useState } from 'preact/hooks';
import * as manage from '../api/manage';
import { useView } from '../context';
import * as format from '../format';
import { useAction } from '../shared/action';
import { useAnswer, useTimer } from '../shared/answer';
import { Arrival, REFRESH, Snippet, useLatestEvent } from '../shared/arrival';
import { Confirm } from '../shared/confirm';
import { Copyable } from '../shared/copy';
import { Panel } from '../shared/panel';
import { Answered, Empty, Problem } from '../shared/states';
import { Table, type Column } from '../shared/table';
import { api as texts } from '../texts';

const Request = () => {
  const { range, me } = useView();
  const base = `${location.origin}/api/v1`;
  const curl = `curl -s -H "Authorization: Bearer $IDENTITY_API_KEY" \\\n  "${base}/stats?start_date=${range.from}&end_date=${range.to}"`;
  return (
    <Panel title={texts.request} note={texts.requestNote}>
      <div class="padded stack">
        <h3>{texts.base}</h3>
        <Copyable what={texts.base} text={base} />
        <h3>{texts.curl}</h3>
        <Copyable what={texts.curl} text={curl} />
        {me?.role === 'viewer' && <p class="note">{texts.viewerNote}</p>}
      </div>
    </Panel>
  );
};

const MakeKey = ({ project, onMade }: { project: string; onMade: (key: manage.NewKey) => void }) => {
  const [kind, setKind] = useState<manage.KeyKind>('secret');
  const [label, setLabel] = useState('');
  const [limit, setLimit] = useState('');
  const { isBusy, failure, run } = useAction();
  const submit = async () => {
    const isMade = await run(async () => onMade(await manage.makeKey(project, kind, label.trim(), kind === 'secret' && limit ? Number(limit) : undefined)));
    if (isMade) setLabel('');
  };
  return (
    <form
      class="filters"
      aria-label={texts.make}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label>
        <span>{texts.kind}</span>
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as manage.KeyKind)}>
          <option value="secret">{texts.kinds.secret}</option>
          <option value="public">{texts.kinds.public}</option>
        </select>
      </label>
      <label>
        <span>{texts.label}</span>
        <input value={label} maxLength={64} placeholder={texts.labelHint} onInput={(event) => setLabel(event.currentTarget.value)} />
      </label>
      {kind === 'secret' && (
        <label>
          <span>{texts.limit}</span>
          <input type="number" min={1} max={100_000} placeholder="60" value={limit} onInput={(event) => setLimit(event.currentTarget.value)} />
        </label>
      )}
      <button type="submit" class="primary" disabled={isBusy}>
        {texts.make}
      </button>
      {failure && <Problem failure={failure} />}
    </form>
  );
};

const keyName = ({ label, hint }: manage.Key): string => label || `${hint}…`;

interface KeysProps {
  project: string;
  made: manage.NewKey | undefined;
  onMade: (key: manage.NewKey | undefined) => void;
}

const Keys = ({ project, made, onMade }: KeysProps) => {
  const keys = useAnswer(`keys ${project}`, (signal) => manage.keys(project, signal));
  const { failure, run } = useAction();
  const show = (key: manage.NewKey) => {
    onMade(key);
    keys.again();
  };
  const rotate = (id: string) => void run(async () => show(await manage.rotateKey(id)));
  const revoke = (id: string) =>
    void run(async () => {
      await manage.revokeKey(id);
      keys.again();
    });
  const columns: Column<manage.Key>[] = [
    { head: texts.label, value: ({ label }) => label },
    { head: texts.kind, value: ({ kind }) => texts.kinds[kind] ?? kind, show: ({ kind }) => <span class="tag">{texts.kinds[kind] ?? kind}</span> },
    { head: texts.hint, value: ({ hint }) => hint, show: ({ hint }) => <code>{hint}…</code> },
    { head: texts.limit, value: ({ rate_limit }) => rate_limit, isNumber: true },
    { head: texts.created, value: ({ created_at }) => created_at, show: ({ created_at }) => format.date(created_at) },
    {
      head: texts.lastUsed,
      value: ({ last_used_at }) => last_used_at,
      // Of public keys it is not known.
      show: ({ kind, last_used_at }) => (last_used_at ? format.ago(last_used_at, Date.now()) : kind === 'secret' ? texts.never : format.text(null)),
    },
    {
      head: texts.actions,
      value: () => null,
      show: (key) => (
        <span class="row-actions">
          <Confirm text={texts.rotate} label={texts.rotateWhat(keyName(key))} question={texts.rotateAsk} onYes={() => rotate(key.id)} />
          <Confirm text={texts.revoke} label={texts.revokeWhat(keyName(key))} question={texts.revokeAsk} isDangerous onYes={() => revoke(key.id)} />
        </span>
      ),
    },
  ];
  return (
    <Panel title={texts.keys} note={texts.keysNote}>
      {made && (
        <div class="made" role="status">
          <h3>{texts.made}</h3>
          <p>{texts.madeNote}</p>
          <Copyable what={texts.made} text={made.key} />
          <button type="button" onClick={() => onMade(undefined)}>
            {texts.done}
          </button>
        </div>
      )}
      <MakeKey project={project} onMade={show} />
      {failure && <Problem failure={failure} />}
      <Answered answer={keys} rows={3}>
        {(rows) => (rows.length ? <Table caption={texts.keys} columns={columns} rows={rows} /> : <Empty title={texts.noKeys}>{texts.noKeysAdvice}</Empty>)}
      </Answered>
    </Panel>
  );
};

/** Asked again until somebody leaves the page. */
const LatestEvent = ({ project }: { project: string }) => {
  const answer = useLatestEvent(project);
  useTimer(answer.again, REFRESH);
  const latest = answer.data?.data[0];
  if (!answer.data) return <p class="arrival"> </p>;
  return <Arrival hasArrived={!!latest}>{latest ? texts.arriving(format.ago(latest.created_at, Date.now())) : texts.waiting}</Arrival>;
};

const SendData = ({ project, publicKey }: { project: string; publicKey: string | undefined }) => (
  <Panel title={texts.snippet} note={texts.snippetNote}>
    <div class="padded stack">
      <Snippet publicKey={publicKey} />
      {!publicKey && <p class="note">{texts.snippetKey}</p>}
      <LatestEvent project={project} />
    </div>
  </Panel>
);

export const Api = () => {
  const { project, me } = useView();
  const [made, setMade] = useState<manage.NewKey | undefined>();
  const isAdmin = me?.role === 'admin';
  return (
    <>
      {isAdmin && <Keys project={project} made={made} onMade={setMade} />}
      <Request />
      {isAdmin && <SendData project={project} publicKey={made?.kind === 'public' ? made.key : undefined} />}
    </>
  );
};
