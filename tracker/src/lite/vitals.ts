// Web Vitals of the document, once, as it is first hidden or left.

import { setting } from '../settings';
import { emit } from './events';
import { here } from './pages';

/** What the browser measures, and what an instant or a delay of it is; that of `inp` is found otherwise in the end. */
const KINDS: { [type: string]: string } = { paint: 'fcp', 'largest-contentful-paint': 'lcp', 'first-input': 'fid', navigation: 'ttfb', event: 'inp', 'layout-shift': 'inp' };

let observer: PerformanceObserver | undefined;
let data: { [name: string]: any } | undefined;
let shift = 0;
/** The window of shifts that lasts: its sum, first and last instant. */
let sum: number;
let first: number;
let last: number;
/** How long each slow interaction took. */
const durations: { [id: number]: number } = {};

export const report = (): void => {
  // A page that was opened in the background, or prerendered, was painted before anybody saw it.
  data ??= {};
  if (!observer) return;
  observer.takeRecords().map(note);
  observer = undefined;
  const slowest = Object.values(durations).sort((a, b) => b - a);
  // One of fifty is left out, where the browser counts them.
  data.inp = slowest[((performance as any).interactionCount / 50) | 0] ?? slowest.at(-1);
  if (data.fcp && (window as any).LayoutShift) data.cls = +shift.toFixed(4);
  emit({ name: 'web_vitals', data });
};

/** Observes, unless that is not wanted. Another route would not be the document that was loaded. */
export const startVitals = (): void => {
  if (data) return;
  data = { url: here };
  if (!here || /vitals/.test(setting('off'))) return;
  observer = new PerformanceObserver((list) => list.getEntries().map(note));
  for (const type in KINDS) observer.observe({ type, buffered: true, durationThreshold: 40 } as any);
};

const note = (entry: any): void => {
  const { startTime, interactionId, duration } = entry;
  data![KINDS[entry.entryType]!] = Math.round((entry.responseStart ?? entry.processingStart ?? 2 * startTime) - startTime);
  if (entry.hadRecentInput == 0) {
    if (!(startTime - last < 1000 && startTime - first < 5000)) {
      sum = 0;
      first = startTime;
    }
    last = startTime;
    sum += entry.value;
    if (sum > shift) shift = sum;
  }
  if (interactionId && !(durations[interactionId]! > duration)) durations[interactionId] = duration;
};
