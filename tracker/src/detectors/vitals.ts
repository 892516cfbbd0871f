// Web Vitals of the document, each once: not of routes, nor of pages out of the back/forward cache, which are no loads.

import { type Entry, catchUp, observe } from '../entries';
import { tell } from '../events';
import { now, on } from '../guard';
import { type Add, finishers } from '../pages';
import { here } from '../address';
import { packers } from '../transport';

/** A laptop that slept while the page loaded. */
const MAX_TIME = 300_000;

type Values = Record<string, number | undefined>;

let isEarlySent = false;
let isSent = false;

export const vitals = (): void => {
  const url = here();
  if (!url) return;
  const [navigation] = performance.getEntriesByType('navigation') as Entry[];
  const start: number = navigation?.activationStart ?? 0;
  let hiddenAt = document.hidden
    ? 0
    : (performance.getEntriesByType('visibility-state').find((entry) => entry.name == 'hidden' && entry.startTime >= start)?.startTime ?? Infinity);
  let paintedAt: number | undefined;
  let largestAt: number | undefined;
  let shift = PerformanceObserver.supportedEntryTypes.includes('layout-shift') ? 0 : NaN;
  /** The window of shifts that lasts: its sum, first and last instant. */
  let sum: number;
  let first: number;
  let last: number;
  let delay: number | undefined;
  /** How long each slow interaction took. */
  const durations = new Map<number, number>();

  on('visibilitychange pagehide', (event) => {
    if (document.hidden || event.type == 'pagehide') hiddenAt = Math.min(hiddenAt, event.timeStamp);
  });
  const sinceStart = (at: number): number => Math.max(0, at - start);
  const interaction = (entry: Entry): void => {
    const id = entry.interactionId;
    if (id) durations.set(id, Math.max(durations.get(id) ?? 0, entry.duration));
  };
  observe('paint', (entry) => {
    if (entry.name != 'first-paint' && entry.startTime < hiddenAt) paintedAt = sinceStart(entry.startTime);
  });
  observe('largest-contentful-paint', (entry) => {
    if (entry.startTime < hiddenAt) largestAt = sinceStart(entry.startTime);
  });
  observe('layout-shift', (entry) => {
    const { startTime } = entry;
    if (entry.hadRecentInput) return;
    if (!(startTime - last < 1000 && startTime - first < 5000)) {
      sum = 0;
      first = startTime;
    }
    last = startTime;
    shift = Math.max(shift, (sum += entry.value));
  });
  observe('event', interaction, { durationThreshold: 40 });
  observe('first-input', (entry) => {
    if (entry.startTime < hiddenAt) delay = entry.processingStart - entry.startTime;
    interaction(entry);
  });

  /** Tells the early values, unless they were sent, and others; nothing where there are none. */
  const report = (tell: Add, others?: Values): void => {
    const values: Values = {};
    for (const [name, value] of Object.entries<number | undefined>({
      // An answer at once is none: its time is unknown.
      ...(!isEarlySent && { ttfb: sinceStart(navigation?.responseStart || NaN), fcp: paintedAt }),
      ...others,
    })) {
      const precision = name == 'cls' ? 10_000 : 1;
      if (value! <= MAX_TIME) values[name] = Math.round(value! * precision) / precision;
    }
    if (Object.keys(values)[0]) tell('web_vitals', values, url);
  };

  packers.push(() => {
    // Before the first paint there is half of it; that waits for the end.
    if (isEarlySent || (paintedAt == null && now() < 10_000)) return;
    report(tell);
    isEarlySent = true;
  });
  finishers.push((add, isFinal) => {
    if (isSent) return;
    catchUp();
    const slowest = [...durations.values()].sort((a, b) => b - a);
    const count: number = (performance as any).interactionCount ?? slowest.length;
    report(add, {
      lcp: largestAt,
      cls: paintedAt == null ? paintedAt : shift,
      inp: slowest[Math.min(slowest.length - 1, Math.floor(count / 50))],
      fid: delay,
    });
    if (isFinal) isSent = isEarlySent = true;
  });
};
