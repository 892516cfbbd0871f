// `window.identity`: what a site can call. No call throws, and none waits for anything.

import { address, setHere } from './address';
import { startCustom, track } from './custom';
import { attempt, halt, isHalted, later, on } from './guard';
import { addAlias, bot, forget, objects, persist, session, sessionId, visitorId } from './identity';
import { arrive, beginHere, reset, startPages } from './pages';
import { type Hook, allow, clear, isAllowed, setHook } from './queue';
import { hash32 } from './random';
import { isOn, setting } from './settings';
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

const isLocal = (host: string): boolean => /^(localhost|127\..*|\[::1]|.*\.local|)$/.test(host);

const mayRun = (): unknown =>
  (window == top || isOn('frames')) &&
  (!isLocal(location.hostname) || isLocal(new URL(setting('endpoint')).hostname) || isOn('local')) &&
  !(isOn('dnt') && navigator.doNotTrack == '1');

/** Keeps where the owner and the visitor allow it. */
const storeAsAllowed = (): void => {
  const wanted = setting('storage') ?? 'local';
  storeIn(wanted != 'none' && objects() ? 'session' : wanted);
};

/** Calls that are kept until it runs. */
const MAX_CALLS = 100;

/** Runs the tracker on this page, and gives its interface. `watch` starts detectors; `calls` and errors were there before it. */
export const run = (watch: (early: unknown[]) => void, calls: unknown[] = []): Api => {
  let isRunning = false;

  /** Keeps and sends from here on, if the visitor agrees. */
  const open = (): void => {
    if (!isAllowed) return;
    storeAsAllowed();
    if (!(hash32(visitorId() ?? session().i) < (setting('sample') ?? 1) * 2 ** 32)) stop();
  };

  const stop = (): void => {
    allow(false);
    storeAsAllowed();
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
