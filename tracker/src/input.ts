// What the person does, told to all detectors that want to know.

import { here } from './address';
import { guard, onInput } from './guard';

/** What hears of it, by the type of event. */
const heard: { [type: string]: ((event: any, target: Element) => void)[] } = {};

/**
 * As `onInput`, with one listener a type for all detectors: the page waits for each, and to ask the browser anything takes most of
 * that time. What of them fails silences none of the others. Where nothing is measured, nothing is heard.
 */
export const hear = <E extends Event = Event>(types: string, fn: (event: E, target: Element) => void): void =>
  types.split(' ').forEach((type) => {
    const fns = (heard[type] ??= []);
    if (!fns[0]) onInput(type, (event, target) => here() && fns.forEach((fn) => fn(event, target)));
    fns.push(guard(fn));
  });
