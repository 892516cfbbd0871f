// What is sent: batches in the collector's format.

import { here } from './address';
import { agree, sessionFacts, visitorFacts } from './identity';
import { toJson } from './json';
import { type TrackedEvent, take } from './queue';
import { randomId } from './random';
import { setting } from './settings';

const MAX_EVENTS = 100;
/** The collector takes 64 KiB; all that leaving pages send at once must fit into as much. */
const MAX_BATCH = 16_000;

/** A batch without the key and the instant of sending, which belong to an attempt. */
export interface Batch {
  batch_id: string;
  page?: string | undefined;
  visitor: ReturnType<typeof visitorFacts>;
  session: ReturnType<typeof sessionFacts>;
  events: TrackedEvent[];
}

let hasAgreed = false;

export const batchOf = (events: TrackedEvent[]): Batch => {
  if (!hasAgreed) agree();
  hasAgreed = true;
  return {
    batch_id: 'b_' + randomId(),
    page: here(),
    visitor: visitorFacts(),
    session: sessionFacts(),
    events,
  };
};

/** All that waits, in as many batches as it takes. */
export const pack = (): Batch[] => {
  const parts: TrackedEvent[][] = [];
  let part: TrackedEvent[] | undefined;
  for (const event of take()) {
    if (!part || part.length == MAX_EVENTS || toJson([part, event]).length > MAX_BATCH) parts.push((part = []));
    part.push(event);
  }
  return parts.map(batchOf);
};

/** The body of an attempt. The instant is that of sending, even of an old batch: the server corrects the others by it. */
export const bodyOf = (batch: Batch): string => toJson({ key: setting('key'), sent_at: Date.now(), ...batch });
