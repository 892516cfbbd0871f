// `window.identity`: what a site can call. No call throws, and none waits for anything.

import { address, setHere } from './address';
import { allowedMode, mayRun } from './allowed';
import { startCustom, track } from './custom';
import { attempt, halt, isHalted, later, on } from './guard';
import { addAlias, bot, forget, persist, session, sessionId, visitorId } from './identity';
import { arrive, beginHere, reset, startPages } from './pages';
import { type Hook, allow, clear, isAllowed, setHook } from './queue';
import { isOfShare } from './random';
import { setting } from './settings';
import { isOptedOut, setOptedOut, storeFor, storeIn, write } from './storage';
import { dropAll } from './store';
import { flush, flushIn, startTransport } from './transport';

declare const VERSION: string;

export interface Api {
  /** Sends an event of the site's own. */
  track(name: string, data?: Record<string, unknown>): void;
  /** Views a page that has no address of its own, or names the current one: `/orders/:id`. */
  page(path?: string, title?: string): void;
  /** Adds a name that the site knows the visitor by. */
  identify(id: string): void;
  /** Makes a new visitor, as after a log-out. */
  reset(): void;
  /** Says whether the visitor agrees, where consent is required. */
  consent(agrees: boolean): void;
  /** Stops for good in this browser. */
  optOut(): void;
  optIn(): void;
  /** Sends what waits. */
  flush(): Promise<void>;
  /** Sees each event before it is sent. */
  before(hook: Hook): void;
  readonly visitorId: string | undefined;
  readonly sessionId: string | undefined;
  readonly version: string;
}

/** Calls that are kept until it runs. */
const MAX_CALLS = 100;

/** Runs the tracker on this page, and gives its interface. `watch` starts detectors; `early` are calls and errors from before it was there. */
export const run = (watch: (early: unknown[]) => void, early?: unknown): Api => {
  const calls: unknown[] = Array.isArray(early) ? early : [];
  let isRunning = false;

  /** Keeps and sends from here on, if the visitor agrees. */
  const open = (): void => {
    if (!isAllowed) return;
    storeIn(allowedMode());
    if (!isOfShare(visitorId() ?? session().i, setting('sample'))) halt(true);
  };

  const stop = (): void => {
    allow(false);
    storeIn(allowedMode());
    write('');
    dropAll();
    storeIn('none');
    clear();
    forget();
    halt(true);
  };

  /** Keeps and sends what waited, or begins again. */
  const go = (): void => {
    const hasStopped = isHalted;
    halt(false);
    allow(true);
    open();
    persist();
    // That also takes up what the page before left.
    flushIn(3000);
    if (hasStopped && !document.hidden) beginHere();
  };

  const boot = (): void => {
    if (isRunning || isOptedOut()) return;
    isRunning = true;
    setHere(address().url);
    allow(setting('consent') != 'required');
    open();
    if (isHalted) return;
    startCustom();
    startTransport();
    // The page view alone, so that the server knows it for a bot.
    if (bot() == 100) later(() => halt(true), 4000);
    else watch(calls);
    startPages();
    for (const call of calls.splice(0)) if (Array.isArray(call)) attempt(() => api[call[0]](...call.slice(1)));
  };

  const methods: { [name: string]: (...args: any) => void } = {
    track,
    page(path?: string, title?: string) {
      arrive(address(path), 'push', title);
    },
    identify(id: unknown) {
      if (/string|number/.test(typeof id) && /^.{1,256}$/s.test(id as string) && addAlias(String(id))) flushIn(3000);
    },
    reset,
    consent(value: unknown) {
      if (!value) stop();
      else if (!isAllowed || isHalted) go();
    },
    optOut() {
      stop();
      setOptedOut(true);
    },
    optIn() {
      if (!isOptedOut()) return;
      setOptedOut(false);
      if (isRunning) go();
      else boot();
    },
    before(hook: Hook) {
      if (typeof hook == 'function') setHook(hook);
    },
  };

  const api: any = {
    flush: async () => {
      await attempt(flush);
    },
    version: VERSION,
    get visitorId() {
      return isRunning && !isHalted ? attempt(visitorId) : undefined;
    },
    get sessionId() {
      return isRunning && !isHalted ? attempt(sessionId) : undefined;
    },
  };
  for (const [name, method] of Object.entries(methods)) {
    api[name] = (...args: unknown[]) => {
      attempt(() => {
        if (isRunning || /^opt/.test(name)) method(...args);
        else calls[MAX_CALLS - 1] ?? calls.push([name, ...args]);
      });
    };
  }

  attempt(() => {
    storeFor(setting('key'));
    if (!mayRun()) return;
    if ((document as { prerendering?: boolean }).prerendering) on('prerenderingchange', boot);
    else boot();
  });
  return api;
};
