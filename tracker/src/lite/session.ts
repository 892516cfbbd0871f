// Who visits, and in which session. What another tab wrote last counts.

import { objects } from '../allowed';
import { type Kept, begin, isKnown, isOver, sessionIdOf } from '../record';
import { here } from './pages';
import { read, write } from './store';
import { flush } from './transport';

const MAX_ALIASES = 20;

/** Whether it may run on this page; who visits, if it does. */
export let isAllowed: unknown;
export let person: Kept | undefined;
export let sessionId: string | undefined;

/** Goes on as the stored visitor or a new one; whether that is in another session than before. */
export const renew = (isAnother?: unknown): unknown => {
  let next: Kept = !isAnother && ([read(''), person].find(isKnown) as any);
  if (!next || isOver(next)) next = begin(next);
  // What waits is of the old one.
  const isOther = person && person.i != next.i && flush();
  // It may have begun where nothing is measured.
  next.u ||= here;
  next.l = Date.now();
  person = next;
  sessionId = sessionIdOf(person);
  write('', person);
  return isOther;
};

/** Adds a name that the site knows the visitor by. */
export const identify = (id: any): void => {
  const { a } = person!;
  if (!/^(string|number).{1,256}$/s.test(typeof id + id) || objects() || a.includes((id += ''))) return;
  person!.a = [...a, id].slice(-MAX_ALIASES);
  write('', person);
};

export const allow = (may: unknown): void => {
  isAllowed = may;
  if (!may) person = undefined;
};
