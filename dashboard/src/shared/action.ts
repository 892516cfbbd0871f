import { useState } from 'preact/hooks';
import type { Failure } from '../api/failure';
import { failureFrom } from './answer';

export interface Action {
  isBusy: boolean;
  failure: Failure | undefined;
  /** Whether it went well. */
  run: (change: () => Promise<void>) => Promise<boolean>;
}

/** Something that is changed on the server. */
export const useAction = (): Action => {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | undefined>();
  const run = async (change: () => Promise<void>) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await change();
      return true;
    } catch (error) {
      setFailure(failureFrom(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, failure, run };
};
