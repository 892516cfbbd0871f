// Events of the site's own.

import { here } from './address';
import { note } from './guard';
import { copy } from './json';
import { onView } from './pages';
import { emit } from './queue';

const MAX = 100;

let count = 0;

export const startCustom = (): void =>
  onView(() => {
    count = 0;
  });

/** Queues an event under its name in snake case. */
export const track = (name: unknown, data?: unknown): void => {
  const snake = String(name)
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_')
    .replace(/^_|_$/g, '')
    .slice(0, 64);
  if (!snake || count++ >= MAX) return note('not tracked', name);
  emit(snake, copy(data) as Record<string, unknown> | undefined, Date.now(), here());
};
