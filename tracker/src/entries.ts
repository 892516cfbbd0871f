// The browser's own measurements.

import { attempt } from './guard';

export type Entry = any;

const pending: (() => void)[] = [];

/** Calls back for each entry of a type, also those from before. Gives what does so at once for entries that were not told yet. */
export const observe = (type: string, each: (entry: Entry) => void, options?: object): (() => void) | undefined =>
  attempt(() => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(each));
    observer.observe({ type, buffered: true, ...options });
    const tellNow = (): void => observer.takeRecords().forEach(each);
    pending.push(tellNow);
    return tellNow;
  });

/** Calls back for the entries that were not told yet. */
export const catchUp = (): void => pending.forEach(attempt);
