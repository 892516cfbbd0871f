// Web Vitals of the document, each once: not of routes, nor of pages out of the back/forward cache, which are no loads.

import { type Entry, catchUp, observe } from '../entries';
import { now, on } from '../guard';
import { onFinish } from '../pages';
import { emit } from '../queue';
import { here } from '../address';
import { beforePacking } from '../transport';

/** A laptop that slept while the page loaded. */
const MAX_TIME = 300_000;

type Values = Record<string, number | undefined>;

let isEarlySent = false;
let isSent = false;

export const vitals = (): void => {
  const url = here;
  const navigation: Entry = performance.getEntriesByType('navigation')[0];
  const start: number = navigation?.activationStart ?? 0;
  let hiddenAt = Infinity;
  let paintedAt: number | undefined;
  let largestAt: number | undefined;
  let shift: number | undefined = PerformanceObserver.supportedEntryTypes.includes('layout-shift') ? 0 : undefined;
  /** The window of shifts that lasts: its sum, first and last instant. */
  let sum = 0;
  let first: number;
  let last: number;
  let delay: number | undefined;
  let slowest: { id_: number; duration: number }[] = [];
  let counted = 0;

  const hide = (at: number): void => {
    hiddenAt = Math.min(hiddenAt, at);
  };
  for (const { name, startTime } of performance.getEntriesByType('visibility-state')) if (name == 'hidden' && startTime >= start) hide(startTime);
  if (document.hidden) hide(0);
  on(window, 'visibilitychange pagehide', ({ type, timeStamp }) => (document.hidden || type == 'pagehide') && hide(timeStamp));

  const interaction = ({ interactionId: id_, duration }: Entry): void => {
    if (!id_) return;
    const known = slowest.find((other) => other.id_ == id_);
    if (known) known.duration = Math.max(known.duration, duration);
    else {
      counted++;
      slowest.push({ id_, duration });
    }
    slowest = slowest.sort((a, b) => b.duration - a.duration).slice(0, 10);
  };
  const sinceStart = (startTime: number): number => Math.max(0, startTime - start);
  observe('paint', ({ name, startTime }) => {
    if (name != 'first-paint' && startTime < hiddenAt) paintedAt = sinceStart(startTime);
  });
  observe('largest-contentful-paint', ({ startTime }) => {
    if (startTime < hiddenAt) largestAt = sinceStart(startTime);
  });
  observe('layout-shift', ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    if (!(startTime - last < 1000 && startTime - first < 5000)) {
      sum = 0;
      first = startTime;
    }
    last = startTime;
    shift = Math.max(shift!, (sum += value));
  });
  observe('event', interaction, { durationThreshold: 40 });
  observe('first-input', (entry) => {
    if (entry.startTime < hiddenAt) delay = entry.processingStart - entry.startTime;
    interaction(entry);
  });

  const time = (value: number | undefined): number | undefined => (value! <= MAX_TIME ? Math.round(value!) : undefined);
  /** The early values, unless they were sent, and others; nothing if there are none. */
  const report = (tell: (name: string, data: Values, url?: string) => void, others?: Values): void => {
    const { responseStart } = navigation ?? {};
    const values: Values = { ...(isEarlySent ? {} : { ttfb: responseStart > 0 ? time(sinceStart(responseStart)) : undefined, fcp: time(paintedAt) }), ...others };
    if (Object.values(values).some((value) => value != null)) tell('web_vitals', values, url);
  };

  beforePacking(() => {
    // Before the first paint there is half of it; that waits for the end.
    if (isEarlySent || (paintedAt == null && now() < 10_000)) return;
    report((name, data) => emit(name, { ...data, url }));
    isEarlySent = true;
  });
  onFinish((add, isFinal) => {
    if (isSent) return;
    catchUp();
    const count: number = (performance as any).interactionCount ?? counted;
    report(add, {
      lcp: time(largestAt),
      cls: paintedAt == null || shift == null ? undefined : Math.round(shift * 10_000) / 10_000,
      inp: time(slowest[Math.min(slowest.length - 1, Math.floor(count / 50))]?.duration),
      fid: time(delay),
    });
    if (isFinal) isSent = isEarlySent = true;
  });
};
