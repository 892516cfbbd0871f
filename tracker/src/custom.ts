// Events of the site's own.

import { here } from './address';
import { closest, ignored, read } from './dom';
import { emit } from './events';
import { note, onInput } from './guard';
import { copy } from './json';
import { snake } from './name';
import { quota } from './pages';

const mayTrack = quota(100);

/** Queues an event under its name in snake case. */
export const track = (name: unknown, data?: unknown): void => {
  const known = snake(name);
  if (!known || !mayTrack()) note('dropped', name);
  else emit({ name: known, url: here(), created_at: Date.now(), data: copy(data) });
};

/** Starts to listen for clicks that the site has named. They are never prevented, nor waited for. */
export const startCustom = (): void => {
  onInput('click', (_event, target) => {
    const named = closest(target, '[data-identity-event]');
    if (!named || closest(target, ignored)) return;
    const data: Record<string, string> = {};
    for (const { name, value } of named.attributes) {
      const [, key] = name.split('data-identity-prop-');
      if (key) data[key] = value;
    }
    track(read(named, 'data-identity-event'), data);
  });
};
