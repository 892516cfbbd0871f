// The session's frustration so far, told as pages are finished. It is never a reason to send anything.

import { change, finishers, session } from '../kit';

/** By the formula of the server. */
export const frustration = (): number => Math.min(100, session().n);

export const score = (): void => {
  finishers.push((add, isFinal) => {
    const score = frustration();
    if (score <= session().f) return;
    if (isFinal) change((session) => (session.f = score));
    add('frustration_score', { score });
  });
};
