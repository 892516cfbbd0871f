// Batches kept until they are answered: those in delivery, what a page hands to the next, what a hidden page would say if it
// were killed, and what failed.

import type { Batch } from './batch';
import { MAX_AGE } from './queue';
import { randomId } from './random';
import { mode, read, write } from './storage';

const MAX_BATCHES = 10;
const MAX_CHARACTERS = 40_000;

export interface Entry {
  b: Batch;
  at: number;
  /** The page or the tab that speaks for it; none for a batch that failed. */
  t?: string | undefined;
  /** Handed over by a page to the next one. */
  c?: unknown;
}

/** This tab's id, which outlives the page. Not where the tab can remember nothing, and not for a frame, which shares the tab. */
export const thisTab = (): string | undefined => {
  if (mode == 'none' || window != top) return;
  const id = read('.tab', 'session') ?? randomId();
  return write('.tab', id, 'session') ? id : undefined;
};

export const entries = (): Entry[] => read('.waiting')?.filter?.((entry: Entry | null) => entry?.b && Date.now() - entry.at < MAX_AGE) ?? [];

export const isKept = (id: string): boolean => entries().some((entry) => entry.b.batch_id == id);

/** Forgets a batch, or keeps a new entry of it; the oldest go if there are too many. Whether that outlives the page. */
export const drop = (id: string, ...more: Entry[]): boolean => {
  const kept = [...entries().filter((entry) => entry.b.batch_id != id), ...more];
  while (kept[MAX_BATCHES] || (kept[1] && JSON.stringify(kept).length > MAX_CHARACTERS)) kept.shift();
  return write('.waiting', kept[0] && kept);
};

export const keep = (entry: Entry): boolean => drop(entry.b.batch_id, entry);

/** Forgets all of it. */
export const dropAll = (): void => {
  write('.waiting');
  write('.tab', 0, 'session');
};
