// Events on their way into a batch: checked one by one, as the collector refuses a batch whole.

import { here } from './address';
import { isHalted, note } from './guard';
import { copy, toJson } from './json';
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
/** The collector refuses events of more than 7 days. */
export const MAX_AGE = 6.5 * 86_400_000;
/** The collector's bound for clocks that go fast. */
const MAX_AHEAD = 300_000;
const MAX_WAITING_FOR_CONSENT = 50;
/** What is sent at once. */
const MANY = 20;
export const MAX_CHARACTERS = 12_000;

/** What waits, and in front of it what is in its last form. */
let waiting: TrackedEvent[];
let sealed: TrackedEvent[];
let hook: Hook | undefined;
/** Whether batches may go, or events wait until there is consent. */
export let isAllowed = true;

export const setHook = (fn: Hook): void => {
  hook = fn;
};

export const allow = (value: boolean): void => {
  isAllowed = value;
};

/** Lets an event wait, unless it is not wanted; whether it does. */
export const add = (event: TrackedEvent): unknown =>
  here() && !isHalted && (isAllowed || waiting.length < MAX_WAITING_FOR_CONSENT) && !list('off').includes(event.name) && waiting.push(event);

/** Whether what waits is to be sent at once. */
export const isFull = (): boolean => waiting.length >= MANY || JSON.stringify(waiting).length > MAX_CHARACTERS;

/** Gives events their last form, without those that are dropped. */
export const seal = (events: TrackedEvent[]): TrackedEvent[] =>
  events.flatMap((event) => {
    try {
      const { name, url, created_at, data } = hook ? hook(event)! : event;
      const facts = { ...copy(data) };
      // Counted in bytes.
      const age = Date.now() - created_at;
      if (new Blob([toJson(facts)]).size > MAX_DATA || !/^[a-z\d_]{1,64}$/.test(name) || !(age > -MAX_AHEAD && age < MAX_AGE)) throw 0;
      return { name, url: url && `${url}`.slice(0, 2048), created_at: Math.round(created_at), data: Object.keys(facts)[0] ? facts : undefined };
    } catch (error) {
      note('dropped', event, error);
      return [];
    }
  });

/** Whether an event waits and can still be changed. */
export const isOpen = (event: TrackedEvent): boolean => waiting.includes(event);

/** All that waits, in its last form. What a hook of the site's provokes meanwhile waits for the next time. */
export const take = (): TrackedEvent[] => {
  const events = waiting;
  const first = sealed;
  clear();
  return [...first, ...seal(events)];
};

/** Drops all that waits. */
export const clear = (): void => {
  waiting = [];
  sealed = [];
};

clear();

/** Puts events in front that are in their last form: those of the page before, or what was taken. */
export const putFirst = (events: TrackedEvent[]): void => {
  sealed = [...events, ...sealed];
};
