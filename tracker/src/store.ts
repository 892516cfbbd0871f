// Batches kept for later: what a page hands to the next, what a hidden page would say if it were killed, and what failed.

import type { Batch } from './batch';
import { randomId } from './random';
import { keepsFor, read, write } from './storage';

const MAX_BATCHES = 10;
const MAX_CHARACTERS = 40_000;
/** The collector refuses events of more than 7 days. */
const MAX_AGE = 6.5 * 86_400_000;
const WAITING = '.waiting';

export interface Entry {
  b: Batch;
  at: number;
  /** The tab that speaks for it; none for a batch that failed. */
  t?: string | undefined;
  /** Handed over by a page to the next one. */
  c?: boolean | undefined;
}

let tab: string | undefined;

/** This tab's id, which outlives the page. Not where the tab can remember nothing, and not for a frame, which shares the tab. */
export const thisTab = (): string | undefined => {
  if (keepsFor() == 'none' || window != top) return;
  tab ??= read('.tab', 'session');
  if (!tab) {
    const fresh = randomId();
    if (write('.tab', fresh, 'session')) tab = fresh;
  }
  return tab;
};

export const entries = (): Entry[] => {
  const stored = read(WAITING);
  const isOne = (entry: Entry): boolean => Array.isArray(entry?.b?.events) && Date.now() - entry.at < MAX_AGE;
  return (Array.isArray(stored) ? (stored as Entry[]).filter(isOne) : []);
};

/** Keeps a batch, in place of one with its id; the oldest go if there are too many. Whether that worked. */
export const keep = (entry: Entry): boolean => {
  const others = entries().filter(({ b }) => b.batch_id != entry.b.batch_id);
  let kept = [...others, entry];
  while (kept.length > MAX_BATCHES || (kept.length > 1 && JSON.stringify(kept).length > MAX_CHARACTERS)) kept = kept.slice(1);
  return write(WAITING, kept);
};

/** Forgets a batch; whether it was there. */
export const drop = (id: string): boolean => {
  const all = entries();
  const others = all.filter(({ b }) => b.batch_id != id);
  return others.length < all.length && write(WAITING, others.length ? others : undefined);
};

/** Forgets all of it. */
export const dropAll = (): void => {
  tab = undefined;
  write(WAITING);
  write('.tab', undefined, 'session');
};
