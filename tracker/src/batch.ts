// What is sent: batches in the collector's format.

import { here } from './address';
import { agree, sessionFacts, visitorFacts } from './identity';
import { toJson } from './json';
import { type TrackedEvent, take } from './queue';
import { randomId } from './random';
import { setting } from './settings';

const MAX_EVENTS = 100;
/** The collector takes 64 KiB; all that leaving pages send at once must fit into as much. */
const MAX_CHARACTERS = 16_000;

/** A batch without the key and the instant of sending, which belong to an attempt. */
export interface Batch {
  batch_id: string;
  page?: string | undefined;
  visitor: ReturnType<typeof visitorFacts>;
  session: ReturnType<typeof sessionFacts>;
  events: TrackedEvent[];
}

let agreed = false;

export const batchOf = (events: TrackedEvent[]): Batch => {
  if (!agreed) agree();
  agreed = true;
  return {
    batch_id: `b_${randomId()}`,
    page: here(),
    visitor: visitorFacts(),
    session: sessionFacts(),
    events,
  };
};

/** All that waits, in as many batches as it takes. */
export const pack = (): Batch[] => {
  const batches: Batch[] = [];
  let part: TrackedEvent[] = [];
  let characters = 0;
  for (const event of take()) {
    const length = toJson(event).length;
    if (part.length == MAX_EVENTS || (part.length && characters + length > MAX_CHARACTERS)) {
      batches.push(batchOf(part));
      part = [];
      characters = 0;
    }
    part.push(event);
    characters += length;
  }
  if (part.length) batches.push(batchOf(part));
  return batches;
};

/** The body of an attempt. The instant is that of sending, even of an old batch: the server corrects the others by it. */
export const bodyOf = (batch: Batch): string => toJson({ key: setting('key'), sent_at: Date.now(), ...batch });
