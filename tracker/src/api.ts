// `window.identity`: what a site can call. No call throws, and none waits for anything.

import { startCustom, track } from './custom';
import { address } from './address';
import { attempt, halt, isHalted, later } from './guard';
import { addAlias, bot, forget, identifyBy, objects, persist, replace, session, visitorId } from './identity';
import { arrive, restart, resume, startPages } from './pages';
import { type Hook, holdAtMost, setHook } from './queue';
import { hash32 } from './random';
import { isOn, setting } from './settings';
import { type Mode, isOptedOut, setOptedOut, storeFor, storeIn, write } from './storage';
import { dropAll } from './store';
import { allow, discard, flush, flushIn, startTransport, takeOver } from './transport';

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

/** Starts one of the things that watch the page; what happened before the script came is passed in. */
export type Detector = (early: Event[]) => void;

const MAX_CALLS = 100;
const MAX_WAITING_FOR_CONSENT = 50;

const LOCAL = /^(localhost|127\..*|\[::1\]|.*\.local|)$/;

const modeOf = (): Mode => {
  const wanted = setting('storage');
  if (wanted == 'none') return wanted;
  return objects() || wanted == 'session' ? 'session' : 'local';
};

const mayRun = (): boolean =>
  !(window != top && !isOn('frames')) &&
  !(LOCAL.test(location.hostname) && !LOCAL.test(new URL(setting('endpoint')!).hostname) && !isOn('local')) &&
  !(isOn('dnt') && navigator.doNotTrack == '1');

const isSampled = (): boolean => hash32(visitorId() ?? session().i) < Number(setting('sample') ?? 1) * 2 ** 32;

/** Runs the tracker on this page, and gives its interface. `calls` were made before it was there. */
export const run = (detectors: { [name: string]: Detector }, calls: unknown[] = []): Api => {
  let isRunning = false;
  let agrees = setting('consent') != 'required';
  const early = calls.filter((call) => call instanceof Event) as Event[];

  const methods = {
    track,
    page(path?: string, title?: string) {
      arrive(address(path ?? location.href), 'push', title, true);
    },
    identify(id: unknown) {
      const alias = /string|number/.test(typeof id) ? String(id) : '';
      if (alias && alias.length <= 256 && addAlias(alias)) flushIn(3000);
    },
    reset() {
      restart(replace);
    },
    consent(value: unknown) {
      if (!value) return stop();
      if (agrees && !isHalted()) return;
      agrees = true;
      if (isHalted()) return revive();
      open();
      persist();
      takeOver();
      flushIn(3000);
    },
    optOut() {
      stop();
      setOptedOut(true);
    },
    optIn() {
      if (!isOptedOut()) return;
      setOptedOut(false);
      if (isRunning) revive();
      else boot();
    },
    before(hook: Hook) {
      if (typeof hook == 'function') setHook(hook);
    },
  };

  /** Keeps and sends from here on, if the visitor agrees. */
  const open = (): void => {
    storeIn(agrees ? modeOf() : 'none');
    allow(agrees);
    holdAtMost(agrees ? undefined : MAX_WAITING_FOR_CONSENT);
    if (agrees && !isSampled()) stop();
  };

  const stop = (): void => {
    agrees = false;
    storeIn(modeOf());
    write('');
    dropAll();
    storeIn('none');
    discard();
    forget();
    allow(false);
    halt(true);
  };

  const revive = (): void => {
    agrees = true;
    halt(false);
    open();
    resume();
  };

  const boot = (): void => {
    if (isRunning || isOptedOut()) return;
    isRunning = true;
    identifyBy(setting('storage') == 'none');
    open();
    if (isHalted()) return;
    startCustom();
    startTransport();
    const isBot = bot() == 100;
    // The page view alone, so that the server knows it for a bot.
    if (isBot) later(() => halt(true), 4000);
    else for (const start of Object.values(detectors)) attempt(() => start(early));
    startPages();
    for (const call of calls.splice(0)) if (Array.isArray(call)) attempt(() => invoke(call[0], call.slice(1)));
  };

  const invoke = (name: string, args: unknown[]): void => {
    if (isRunning || name == 'optOut' || name == 'optIn') (methods as any)[name]?.(...args);
    else if (calls.length < MAX_CALLS) calls.push([name, ...args]);
  };

  const isThere = (): boolean => isRunning && !isHalted();
  const api: any = {
    flush: () => attempt(flush) ?? Promise.resolve(),
    version: VERSION,
    get visitorId() {
      return isThere() ? attempt(visitorId) : undefined;
    },
    get sessionId() {
      return isThere() ? attempt(() => session().i) : undefined;
    },
  };
  for (const name of Object.keys(methods)) api[name] = (...args: unknown[]) => void attempt(() => invoke(name, args));

  attempt(() => {
    storeFor(setting('key')!);
    if (!mayRun()) return;
    if ((document as { prerendering?: boolean }).prerendering) document.addEventListener('prerenderingchange', () => attempt(boot), { once: true });
    else boot();
  });
  return api;
};
