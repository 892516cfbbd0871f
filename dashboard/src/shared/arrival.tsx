// The line for the site, and whether anything that it sends has come.

import * as read from '../api/read';
import { toDay } from '../range';
import { api as texts } from '../texts';
import { useAnswer, type Answer } from './answer';
import { Copyable } from './copy';

/** Before anything can have been collected. */
const EVER = '1970-01-01';

/** How often it is asked whether a first event came. */
export const REFRESH = 5000;

export const useLatestEvent = (project: string): Answer<read.Listing<read.TrackedEvent>> =>
  useAnswer(`first ${project}`, (signal) => read.events({ project, signal }, { from: EVER, to: toDay(Date.now()) }, {}, { page: 1, limit: 1 }));

export const Snippet = ({ publicKey }: { publicKey: string | undefined }) => (
  <Copyable what={texts.snippet} text={`<script async src="${location.origin}/identity.js" data-key="${publicKey ?? 'pk_live_…'}"></script>`} />
);

export const Arrival = ({ hasArrived, children }: { hasArrived: boolean; children: string }) => (
  <p class={`arrival ${hasArrived ? 'has-arrived' : ''}`} role="status">
    <span aria-hidden="true">{hasArrived ? '●' : '○'}</span> {children}
  </p>
);
