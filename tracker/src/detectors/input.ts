// What the person does, told to all that want to know.

import { guard, onInput } from '../kit';

/** What hears of it, by the type of event. */
const heard: { [type: string]: ((event: any, target: Element) => void)[] } = {};

/**
 * As `onInput`, with one listener a type for all detectors: the page waits for them, and to ask the browser anything takes most of
 * that time.
 */
export const hear = <E extends Event = Event>(types: string, fn: (event: E, target: Element) => void): void =>
  types.split(' ').forEach((type) => {
    if (!heard[type]) {
      heard[type] = [];
      onInput(type, (event, target) => heard[type]!.forEach((fn) => fn(event, target)));
    }
    heard[type]!.push(guard(fn));
  });
