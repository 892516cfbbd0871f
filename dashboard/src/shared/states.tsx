// What a page says while there is nothing to show: that it is coming, that there is none, or what went wrong and what to do.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../api/failure';
import { states } from '../texts';
import type { Answer } from './answer';
import { Icon } from './icons';

/** As tall as what will be there, so that nothing moves when it comes. */
export const Loading = ({ rows = 6 }: { rows?: number }) => (
  <div class="loading" role="status">
    <span class="visually-hidden">{states.loading}</span>
    {Array.from({ length: rows }, (_, row) => (
      <div key={row} class="loading-row" />
    ))}
  </div>
);

export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="state">
    <p class="state-title">{title}</p>
    {children && <p>{children}</p>}
  </div>
);

/** Counts down to nothing, and then asks again. */
const Countdown = ({ seconds, again }: { seconds: number; again: () => void }) => {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    if (left <= 0) {
      again();
      return;
    }
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return <p aria-live="off">{states.again(left)}</p>;
};

export const Failed = ({ failure, again }: { failure: Failure; again: () => void }) => {
  const { title, advice } = states.failure(failure.status, failure.message);
  return (
    <div class="state state-failed" role="alert">
      <p class="state-title">
        <Icon name="warning" /> {title}
      </p>
      <p>{advice}</p>
      {failure.status === 429 && failure.retryAfter ? (
        <Countdown key={failure.retryAfter} seconds={failure.retryAfter} again={again} />
      ) : (
        failure.status !== 404 && (
          <button type="button" onClick={again}>
            {states.tryAgain}
          </button>
        )
      )}
    </div>
  );
};

interface Props<Data> {
  answer: Answer<Data>;
  rows?: number;
  children: (data: Data) => ComponentChildren;
}

/** Shows an answer, or what there is instead of it. */
export const Answered = <Data,>({ answer, rows, children }: Props<Data>) => {
  if (answer.failure && !answer.isLoading) return <Failed failure={answer.failure} again={answer.again} />;
  if (answer.data === undefined) return <Loading rows={rows ?? 6} />;
  return <div class={answer.isLoading ? 'is-stale' : ''}>{children(answer.data)}</div>;
};

/** Why a change was not made: in a line beside what it was asked with. */
export const Problem = ({ failure }: { failure: Failure }) => {
  const { title, advice } = states.failure(failure.status, failure.message);
  return (
    <p class="problem" role="alert">
      <Icon name="warning" /> {title}: {failure.status === 400 && failure.message ? failure.message : advice}
    </p>
  );
};
