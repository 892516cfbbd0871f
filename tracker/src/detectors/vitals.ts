// Web Vitals of the document, each once: not of routes, nor of pages out of the back/forward cache, which are no loads.

import { attempt, now, on } from '../guard';
import { onFinish } from '../pages';
import { emit } from '../queue';
import { here } from '../address';
import { beforePacking } from '../transport';

/** A laptop that slept while the page loaded. */
const MAX_TIME = 300_000;

type Entry = any;

let isEarlySent = false;
let isSent = false;

export const vitals = (): void => {
  const { supportedEntryTypes: supported } = PerformanceObserver;
  const url = here;
  const navigation: Entry = performance.getEntriesByType('navigation')[0];
  const start: number = navigation?.activationStart ?? 0;
  let hiddenAt = Infinity;
  let paintedAt: number | undefined;
  let largestAt: number | undefined;
  let shift: number | undefined = supported.includes('layout-shift') ? 0 : undefined;
  let window_ = { value: 0, first: 0, last: 0 };
  let delay: number | undefined;
  let slowest: { id: number; duration: number }[] = [];
  let counted = 0;
  const observers: [PerformanceObserver, (entry: Entry) => void][] = [];

  const observe = (type: string, each: (entry: Entry) => void, options?: object): void => {
    attempt(() => {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(each));
      observer.observe({ type, buffered: true, ...options });
      observers.push([observer, each]);
    });
  };
  const hide = (at: number): void => {
    hiddenAt = Math.min(hiddenAt, at);
  };
  for (const { name, startTime } of performance.getEntriesByType('visibility-state')) {
    if (name == 'hidden' && startTime >= start) hide(startTime);
  }
  if (document.hidden) hide(0);
  on(document, 'visibilitychange', ({ timeStamp }) => document.hidden && hide(timeStamp));
  on(window, 'pagehide', ({ timeStamp }) => hide(timeStamp));

  const interaction = ({ interactionId: id, duration }: Entry): void => {
    if (!id) return;
    const known = slowest.find((other) => other.id == id);
    if (known) known.duration = Math.max(known.duration, duration);
    else {
      counted++;
      slowest.push({ id, duration });
    }
    slowest = slowest.sort((a, b) => b.duration - a.duration).slice(0, 10);
  };
  observe('paint', ({ name, startTime }) => {
    if (name == 'first-contentful-paint' && startTime < hiddenAt) paintedAt = Math.max(0, startTime - start);
  });
  observe('largest-contentful-paint', ({ startTime }) => {
    if (startTime < hiddenAt) largestAt = Math.max(0, startTime - start);
  });
  observe('layout-shift', ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    const isSame = window_.value && startTime - window_.last < 1000 && startTime - window_.first < 5000;
    window_ = { value: isSame ? window_.value + value : value, first: isSame ? window_.first : startTime, last: startTime };
    shift = Math.max(shift!, window_.value);
  });
  observe('event', interaction, { durationThreshold: 40 });
  observe('first-input', (entry) => {
    if (entry.startTime < hiddenAt) delay = entry.processingStart - entry.startTime;
    interaction(entry);
  });

  const time = (value: number | undefined): number | undefined => (value! <= MAX_TIME ? Math.round(value!) : undefined);
  const report = (values: Record<string, number | undefined>): Record<string, number | undefined> | undefined =>
    Object.values(values).some((value) => value != null) ? values : undefined;
  const early = () => {
    const response: number | undefined = navigation?.responseStart;
    return { ttfb: response! > 0 ? time(Math.max(0, response! - start)) : undefined, fcp: time(paintedAt) };
  };

  beforePacking(() => {
    // Before the first paint there is half of it; that waits for the end.
    if (isEarlySent || (paintedAt == null && now() < 10_000)) return;
    isEarlySent = true;
    const values = report(early());
    if (values) emit('web_vitals', { ...values, url });
  });
  onFinish((add, isFinal) => {
    if (isSent) return;
    for (const [observer, each] of observers) attempt(() => observer.takeRecords().forEach(each));
    const count: number = (performance as any).interactionCount ?? counted;
    const outliers = Math.min(slowest.length - 1, Math.floor(count / 50));
    const values = report({
      ...(isEarlySent ? {} : early()),
      lcp: time(largestAt),
      cls: paintedAt == null || shift == null ? undefined : Math.round(shift * 10_000) / 10_000,
      inp: time(slowest[outliers]?.duration),
      fid: time(delay),
    });
    if (isFinal) isSent = isEarlySent = true;
    if (values) add('web_vitals', values, url);
  });
};
