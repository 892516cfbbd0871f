// Events as they happen: each is queued, and sent at once if many wait.

import { here } from './address';
import { change, session } from './identity';
import { type TrackedEvent, add, isFull } from './queue';
import { flushIn } from './transport';

/** Events of detectors in a session: a page that provokes more is not worth its visitor's battery. */
const MAX_DETECTED = 200;

/** Queues an event. */
export const emit = (event: TrackedEvent): TrackedEvent => {
  if (add(event) && isFull()) flushIn(0);
  return event;
};

/** Queues what happened on a page, the current one if none is named. */
export const tell = (name: string, data: Record<string, unknown>, url = here(), created_at = Date.now()): TrackedEvent =>
  emit({ name, created_at, data: { ...data, url } });

/** Queues what a detector found; false where the session had its share. */
export const detect = (...event: Parameters<typeof tell>): boolean => {
  if (!here() || session().e >= MAX_DETECTED) return false;
  change((session) => session.e++);
  tell(...event);
  return true;
};
