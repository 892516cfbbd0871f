// What the Overview shows of a project without data: the line for the site, until something that it sends has come.

import { useEffect, useState } from 'preact/hooks';
import * as manage from '../api/manage';
import { useView } from '../context';
import { useAction } from '../shared/action';
import { useTimer } from '../shared/answer';
import { Arrival, REFRESH, Snippet, useLatestEvent } from '../shared/arrival';
import { Panel } from '../shared/panel';
import { Problem } from '../shared/states';
import { firstEvent as texts } from '../texts';

/** Only `identity dev` has a demo site, and it serves this machine alone. */
const hasDemo = ['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);

/** What is known of a project whose days are empty. That its first event has come stays said until somebody goes elsewhere. */
export type First = 'unknown' | 'waiting' | 'arrived';

export const FirstEvent = ({ first, onChange }: { first: First; onChange: (first: First) => void }) => {
  const { project, me } = useView();
  const [publicKey, setPublicKey] = useState<string | undefined>();
  const { isBusy, failure, run } = useAction();
  const answer = useLatestEvent(project);
  useTimer(() => first === 'waiting' && answer.again(), REFRESH);
  const hasEvents = answer.data && answer.data.pagination.total > 0;
  useEffect(() => {
    if (hasEvents === false) onChange('waiting');
    else if (hasEvents && first === 'waiting') onChange('arrived');
  }, [hasEvents]);
  if (first === 'unknown') {
    return hasEvents ? (
      <Panel title={texts.otherDays}>
        <p class="padded">{texts.otherDaysAdvice}</p>
      </Panel>
    ) : null;
  }
  const isWaiting = first === 'waiting';
  const isAdmin = me?.role === 'admin';
  const waitingTitle = isAdmin ? texts.title : texts.viewerTitle;
  const makeKey = () => void run(async () => setPublicKey((await manage.makeKey(project, 'public', texts.keyLabel, undefined)).key));
  return (
    <Panel title={isWaiting ? waitingTitle : texts.arrivedTitle} note={isWaiting && isAdmin ? texts.note : undefined}>
      <div class="padded stack">
        {isWaiting && isAdmin && (
          <>
            <Snippet publicKey={publicKey} />
            {!publicKey && (
              <button type="button" disabled={isBusy} onClick={makeKey}>
                {texts.makeKey}
              </button>
            )}
            {failure && <Problem failure={failure} />}
          </>
        )}
        <Arrival hasArrived={!isWaiting}>{isWaiting ? texts.waiting : texts.arrived}</Arrival>
        {hasDemo && (
          <p>
            {texts.goAbout}{' '}
            <a href="/demo/" target="_blank" rel="noopener noreferrer">
              {texts.demo}
            </a>
            . {texts.goAboutNote}
          </p>
        )}
      </div>
    </Panel>
  );
};
