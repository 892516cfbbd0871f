// Events on their way into a batch.

import { quietly } from '../quietly';
import { hook } from './api';
import { here } from './pages';
import { person } from './session';
import { flush, flushIn } from './transport';

export interface TrackedEvent {
  name: string | undefined;
  url?: string | undefined;
  created_at?: number;
  data: any;
}

/** Under the collector's 8 KiB and its depth of 128: bytes, and objects and lists. */
const MAX_DATA = 8000;
const MAX_NESTED = 100;
/** What is sent at once: half of the events of a batch, as those of the page before may ride along. */
const MANY = 50;
const MAX_CHARACTERS = 8000;

export const queue: TrackedEvent[] = [];

/** Queues an event: the site's hook may change its data and drop it, and the collector refuses too much. */
export const emit = (event: TrackedEvent): unknown =>
  quietly(() => {
    // There is no address where the owner wants nothing measured.
    if (person && here && event.name) {
      event.created_at ??= Date.now();
      const data = JSON.stringify({ ...hook({ ...event }).data });
      if (new Blob([data]).size <= MAX_DATA && data.split(/[[{]/).length <= MAX_NESTED) {
        queue.push({ ...event, data: JSON.parse(data) });
        if (queue[MANY - 1] || JSON.stringify(queue).length > MAX_CHARACTERS) flush();
        else flushIn();
      }
    }
  });
