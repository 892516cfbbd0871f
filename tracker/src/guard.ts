// What keeps the tracker out of the page's way: nothing it does may throw into the page, and all of it can be stopped.

import { targetOf } from './dom';
import { isOn } from './settings';

/** Failures after which a handler is not called again. */
const MAX_FAILURES = 5;

/** Whether every handler and timer is silenced. */
export let isHalted = false;

export const halt = (value: boolean): void => {
  isHalted = value;
};

/** A line for the site's developer, where `data-debug` asks for them. */
export const note = (...what: unknown[]): void => {
  if (isOn('debug')) console.debug('identity:', ...what);
};

/** The value, or undefined where getting it throws. */
export const attempt = <T>(get: () => T): T | undefined => {
  try {
    return get();
  } catch (error) {
    note(error);
  }
};

/** The function, unable to throw, and given up once it failed too often: a page that breaks it would do so for ever. */
export const guard = <F extends (a?: any, b?: any) => void>(fn: F): F => {
  let failures = 0;
  return ((a, b) => {
    if (isHalted || failures >= MAX_FAILURES) return;
    // Counted until it succeeds.
    failures++;
    try {
      fn(a, b);
      failures--;
    } catch (error) {
      note(error);
    }
  }) as F;
};

/** Listens to events, space-separated. In the capture phase, so that a page that stops propagation hides nothing. */
export const on = <E extends Event = Event>(types: string, fn: (event: E) => void, target: EventTarget = window): void =>
  types.split(' ').forEach((type) => target.addEventListener(type, guard(fn) as EventListener, true));

/** Listens to what the person does, and to what; what scripts dispatch does not count. */
export const onInput = <E extends Event = Event>(types: string, fn: (event: E, target: Element) => void): void =>
  on<E>(types, (event) => event.isTrusted && fn(event, targetOf(event)));

export const later = (fn: () => void, ms: number): number => setTimeout(guard(fn), ms) as unknown as number;

/** Once the page has nothing to do, or after a second. It comes once, so it comes also while all is silenced. */
export const idle = (fn: () => void): unknown => (window.requestIdleCallback ?? setTimeout)(() => attempt(fn), { timeout: 1000 } as any);

/** The monotonic clock, in milliseconds: the one of `event.timeStamp`. */
export const now: () => number = performance.now.bind(performance);
