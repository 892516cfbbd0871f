// An answer that a component shows: asked for once for each key, and kept on the screen while the next one is on its way.

import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { Failure } from '../api/failure';

export interface Answer<Data> {
  data: Data | undefined;
  failure: Failure | undefined;
  isLoading: boolean;
  /** Asks again. */
  again: () => void;
}

type Listener = () => void;
let onSignedOut: Listener = () => {};

/** Calls back when an answer says that nobody is signed in. */
export const whenSignedOut = (listener: Listener): void => {
  onSignedOut = listener;
};

export const failureFrom = (error: unknown): Failure => {
  const failure = error instanceof Failure ? error : new Failure(0, 'unreadable', String(error), undefined);
  if (failure.status === 401) onSignedOut();
  return failure;
};

interface State<Data> {
  key: string | undefined;
  data: Data | undefined;
  failure: Failure | undefined;
}

/** `key` says what is asked for: another one is another question. */
export const useAnswer = <Data>(key: string, read: (signal: AbortSignal) => Promise<Data>): Answer<Data> => {
  const [state, setState] = useState<State<Data>>({ key: undefined, data: undefined, failure: undefined });
  const [attempt, setAttempt] = useState(0);
  const wanted = `${attempt} ${key}`;
  // Not after the paint, as other effects: the question need not wait for it.
  useLayoutEffect(() => {
    const controller = new AbortController();
    read(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ key: wanted, data, failure: undefined });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setState({ key: wanted, data: undefined, failure: failureFrom(error) });
      },
    );
    return () => controller.abort();
  }, [wanted]);
  const again = useCallback(() => setAttempt((count) => count + 1), []);
  return { data: state.data, failure: state.failure, isLoading: state.key !== wanted, again };
};

/** Calls every so often while somebody can see it. */
export const useTimer = (callback: () => void, milliseconds: number): void => {
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') callback();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [callback, milliseconds]);
};
