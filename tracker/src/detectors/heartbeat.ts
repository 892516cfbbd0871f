// Says that a visitor who reads for long is still there, so that it counts as live.

import { hear, isOn, lastKnown, later, ping } from '../kit';

/** Before the five minutes are over after which nobody counts as live. */
const INTERVAL = 270_000;
const ACTIVE = 60_000;

export const heartbeat = (): void => {
  if (!isOn('heartbeat', true)) return;
  let inputAt = 0;
  let pingedAt = 0;
  /** Pings if it is time to; how long it is until the next one. */
  const beat = (): number => {
    const at = Date.now();
    const left = Math.max(lastKnown(), pingedAt) + INTERVAL - at;
    if (left > 0) return left;
    if (lastKnown() && !document.hidden && at - inputAt <= ACTIVE) {
      pingedAt = at;
      ping();
    }
    return INTERVAL;
  };
  const wait = (): void => {
    later(wait, beat());
  };
  wait();
  hear('pointerdown keydown pointermove wheel touchmove', () => {
    const at = Date.now();
    if (at - inputAt < 1000) return;
    inputAt = at;
    beat();
  });
};
