// The browser's own measurements.

import { attempt } from './guard';

export type Entry = any;

const pending: (() => void)[] = [];

/** Calls back for each entry of a type, also those from before. */
export const observe = (type: string, each: (entry: Entry) => void, options?: object): void => {
  attempt(() => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(each));
    observer.observe({ type, buffered: true, ...options });
    pending.push(() => observer.takeRecords().forEach(each));
  });
};

/** Calls back for the entries that were not told yet. */
export const catchUp = (): void => pending.forEach(attempt);
