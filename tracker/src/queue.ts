// Events on their way into a batch: checked one by one, as the collector refuses a batch whole.

import { here } from './address';
import { change, session } from './identity';
import { isHalted, note } from './guard';
import { byteLength, copy, toJson } from './json';
import { list } from './settings';

export interface TrackedEvent {
  name: string;
  url?: string | undefined;
  created_at: number;
  data?: Record<string, unknown> | undefined;
}

/** Sees each event before it is sent, and returns it, changed or not, or null to drop it. */
export type Hook = (event: TrackedEvent) => TrackedEvent | null | undefined;

/** Under the collector's 8 KiB, which are counted in its own writing of the same. */
const MAX_DATA = 8000;
const MAX_WAITING = 500;
/** Events of detectors in a session: a page that provokes more is not worth its visitor's battery. */
const MAX_DETECTED = 200;

let waiting: TrackedEvent[] = [];
let sealed = new WeakSet<TrackedEvent>();
let hook: Hook | undefined;
let muted = false;
let limit = MAX_WAITING;
let notify = (_count: number, _event: TrackedEvent): void => {};

export const setHook = (fn: Hook): void => {
  hook = fn;
};

/** Drops what comes from now on: on pages that the owner excludes. */
export const mute = (value: boolean): void => {
  muted = value;
};

export const isMuted = (): boolean => muted;

/** How many events may wait, which is few while there is no consent. */
export const holdAtMost = (count = MAX_WAITING): void => {
  limit = count;
};

export const onQueued = (fn: typeof notify): void => {
  notify = fn;
};

/** Queues an event. */
export const emit = (name: string, data?: Record<string, unknown>, at = Date.now(), url?: string): TrackedEvent => {
  const event = { name, url, created_at: Math.round(at), data };
  if (!muted && !isHalted() && waiting.length < limit && !list('off').includes(name)) {
    waiting.push(event);
    notify(waiting.length, event);
  }
  return event;
};

/** Queues what a detector found on a page, the current one if none is named; false where the session had its share. */
export const detect = (name: string, data: Record<string, unknown>, at?: number, url = here()): boolean => {
  if (muted || session().e >= MAX_DETECTED) return false;
  change((session) => session.e++);
  emit(name, { ...data, url }, at);
  return true;
};

/** Gives an event its last form, or drops it. */
const seal = (event: TrackedEvent): TrackedEvent[] => {
  if (sealed.has(event)) return [event];
  let final: TrackedEvent | null | undefined = event;
  try {
    if (hook) final = hook(event);
    if (!final) return [];
    const { name, url, created_at, data } = final;
    const copied = data && (copy(data) as Record<string, unknown>);
    const hasData = copied && !Array.isArray(copied) && Object.keys(copied).length;
    if (hasData && byteLength(toJson(copied)) > MAX_DATA) throw 'data is over 8,000 bytes';
    if (!/^[a-z\d_]{1,64}$/.test(name) || !(created_at >= 0)) throw 'name or created_at is malformed';
    final = { name, url: url && String(url).slice(0, 2048), created_at: Math.round(created_at), data: hasData ? copied : undefined };
  } catch (error) {
    note('dropped', event, error);
    return [];
  }
  sealed.add(final);
  return [final];
};

export const sealAll = (events: TrackedEvent[]): TrackedEvent[] => events.flatMap(seal);

/** Whether an event waits and can still be changed. */
export const isOpen = (event: TrackedEvent): boolean => waiting.includes(event);

/** All that waits, in its last form. What a hook of the site's provokes meanwhile waits for the next time. */
export const take = (): TrackedEvent[] => {
  const events = waiting;
  waiting = [];
  return sealAll(events);
};

/** The same, but it stays in the queue. */
export const peek = (): TrackedEvent[] => {
  const events = take();
  waiting = [...events, ...waiting];
  return events;
};

/** Drops all that waits. */
export const clear = (): void => {
  waiting = [];
};

/** Puts the events of the page before in front. */
export const putFirst = (events: TrackedEvent[]): void => {
  events.forEach((event) => sealed.add(event));
  waiting = [...events, ...waiting];
};
