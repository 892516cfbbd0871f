// Uncaught exceptions, and rejections that nobody handles.

import { detect } from '../events';
import { attempt, on } from '../guard';
import { ERROR, count } from '../identity';
import { quota } from '../pages';
import { type Place, errorFacts, messageOf, placeOf } from './stack';

/** Not the site's: browsers' notices, extensions, crawlers of mail programs, and what was aborted on purpose. */
const NOISE =
  /^ResizeObserver loop|AbortError|Object Not Found Matching Id:\d|_AutofillCallbackHandler|Java exception was raised|redefine.*googletag/;
const FOREIGN = /^([a-z-]+-extension|webkit-masked-url):/;

const mayReport = quota(10);
let last = '';
let lastAt = 0;

/** Whether an exception with this text has just been reported: frameworks log what they throw again. */
export const wasThrown = (message: string): boolean => Date.now() - lastAt < 1000 && last.includes(message.slice(0, 100));

/** What a thrown value says. */
export const describe = (value: any): string =>
  attempt(() => {
    if (value == null) return 'Rejected without reason';
    if (typeof value != 'object') return String(value);
    const { name, message } = value;
    if (!message && !(value instanceof Error)) return 'Rejected with {' + Object.keys(value).sort().slice(0, 5).join(', ') + '}';
    return (name ? name + ': ' : '') + message;
  }) ?? '';

const report = (name: string, raw: string, error: any, given?: Place): void => {
  const stack = attempt(() => error?.stack);
  const place = given?.source ? given : placeOf(stack);
  const { source } = place;
  if (NOISE.test(raw) || FOREIGN.test(source!) || (/^Script error\.?$/.test(raw) && !source)) return;
  const message = messageOf(raw);
  if (!mayReport([name, message, source, place.line, place.column].join())) return;
  last = message;
  lastAt = Date.now();
  if (detect(name, errorFacts(message, place, stack))) count(ERROR);
};

const thrown = (event: any): void => {
  const { reason, error } = event;
  if (event.type != 'error') report('promise_rejection', describe(reason), reason);
  // Images and scripts that fail to load send an event of the same name.
  else if (event.target == window)
    report('js_exception', error == null ? event.message : describe(error), error, {
      source: event.filename,
      line: event.lineno,
      column: event.colno,
    });
};

export const errors = (early: unknown[]): void => {
  on('error unhandledrejection', thrown);
  for (const event of early) if (event instanceof Event) attempt(() => thrown(event));
};
