// The record that this browser keeps of its visitor and session. Every script of every release reads it, so a site may change
// from one to another: who visits, and in which session, goes on.

import { type Campaign, address, campaign, clickId, referrer, withClickId } from './address';
import { randomId } from './random';

const DAY = 86_400_000;
const VISITOR_LIFE = 395 * 86_400_000;
const IDLE = 30 * 60_000;

/** What every script keeps. The keys are short because a record is written at each click. */
export interface Kept {
  /** Id of the visitor; when it was made; aliases. */
  v: string;
  o: number;
  a: string[];
  /** Id of the session. */
  i: string;
  /** Its start. */
  t: number;
  /** Last input or page view. */
  l: number;
  /** Landing page, with the name of the click id there; that name; referrer, campaign. */
  u: string;
  k?: string | undefined;
  r?: string | undefined;
  m: Campaign;
}

/**
 * The session's id. It tells the visitor and the start, so that the server finds the session by it alone; in a record it is as
 * long as any id, for scripts of the release before.
 */
export const sessionIdOf = (kept: Kept): string => kept.i.replace(kept.v.slice(2, 10), kept.v.slice(2) + '_');

/** A new session, of a visitor who is known or of a new one. */
export const begin = ({ v = 'v_' + randomId(), o = Date.now(), a = [] }: Partial<Kept> = {}): Kept => {
  const t = Date.now();
  const k = clickId();
  return { v, o, a, i: 'ses_' + v.slice(2, 10) + t.toString(36), t, l: t, u: withClickId(address().url, k), k, r: referrer(), m: campaign() };
};

/**
 * Whether what was stored is a record, as other scripts can write here too, of a visitor who is still known: for 395 days after
 * creation, which visits do not renew, as data protection authorities ask of audience measurement.
 */
export const isKnown = (stored: Kept | null | undefined): boolean =>
  Date.now() - stored?.o! < VISITOR_LIFE && /^v_[\w-]{16}ses_[\w-]{16}$/.test(stored!.v + stored!.i);

/** Whether a session is over: half an hour without input or page view, or a day after it began. */
export const isOver = (session: Kept): boolean => Date.now() - session.l > IDLE || Date.now() - session.t > DAY;
