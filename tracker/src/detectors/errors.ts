// Uncaught exceptions, and rejections that nobody handles.

import { attempt, on } from '../guard';
import { ERROR, count } from '../identity';
import { onView } from '../pages';
import { detect } from '../queue';
import { type Place, messageOf, placeOf, sourceOf, stackOf } from './stack';

const MAX_DISTINCT = 10;

/** Not the site's: browsers' notices, extensions, crawlers of mail programs, and what was aborted on purpose. */
const NOISE =
  /^ResizeObserver loop|AbortError|Object Not Found Matching Id:\d|_AutofillCallbackHandler|Java exception was raised|redefine.*googletag/;
const FOREIGN = /^(chrome|moz|safari|safari-web|ms-browser)-extension:|^webkit-masked-url:/;

let seen = new Set<string>();
let last = { message: '', at: 0 };

/** Whether an exception with this text has just been reported: frameworks log what they throw again. */
export const wasThrown = (message: string): boolean => Date.now() - last.at < 1000 && last.message.includes(message.slice(0, 100));

const nameOf = (error: any): string => attempt(() => (error.name ? `${error.name}: ${error.message}` : String(error.message))) ?? '';

/** What a thrown value says. */
export const describe = (value: any): string =>
  attempt(() => {
    if (value == null) return 'Rejected without reason';
    if (typeof value != 'object') return String(value);
    if (value instanceof Error || value.message) return nameOf(value);
    return `Rejected with {${Object.keys(value).sort().slice(0, 5).join(', ')}}`;
  }) ?? '';

const report = (name: string, raw: string, error: any, given?: Place): void => {
  const stack = attempt(() => error?.stack);
  const place = given?.source ? given : placeOf(stack);
  if (NOISE.test(raw.replace(/^(Uncaught )?/, '')) || FOREIGN.test(place.source ?? '') || (/^Script error\.?$/.test(raw) && !place.source)) return;
  const message = messageOf(raw);
  const source = place.source && sourceOf(place.source);
  const key = [name, message, source, place.line, place.column].join();
  if (seen.has(key) || seen.size >= MAX_DISTINCT) return;
  seen.add(key);
  last = { message, at: Date.now() };
  if (detect(name, { message, source, line: place.line, column: place.column, stack: stackOf(stack) })) count(ERROR);
};

const thrown = (event: ErrorEvent): void => {
  // Images and scripts that fail to load send an event of the same name.
  if (event.target != window) return;
  const { error, message, filename, lineno, colno } = event;
  report('js_exception', (error && attempt(() => error.message) && nameOf(error)) || String(message).replace(/^Uncaught /, ''), error, {
    source: filename,
    line: lineno,
    column: colno,
  });
};

const rejected = ({ reason }: PromiseRejectionEvent): void => report('promise_rejection', describe(reason), reason);

export const errors = (early: Event[]): void => {
  onView(() => {
    seen = new Set();
  });
  on(window, 'error', thrown);
  on(window, 'unhandledrejection', rejected);
  for (const event of early) attempt(() => (event.type == 'error' ? thrown(event as ErrorEvent) : rejected(event as PromiseRejectionEvent)));
};
