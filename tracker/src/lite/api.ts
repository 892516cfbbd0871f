// `window.identity`: what a site can call. No call throws, and none waits for anything.

import { address } from '../address';
import type { Api } from '../api';
import { snake } from '../name';
import { quietly } from '../quietly';
import { setting } from '../settings';
import { emit, queue } from './events';
import { here, look, settle, view, watch } from './pages';
import { allow, identify, person, renew, sessionId } from './session';
import { clear, isOptedOut, openStore, refuse } from './store';
import { flush } from './transport';

declare const VERSION: string;

/** What sees each event before it waits to be sent. */
export let hook = (event: unknown): any => event;

/** Calls that are kept until it runs. */
const MAX_CALLS = 100;
let calls: any[];

/** Makes the calls that wait; what else waits with them, such as errors, is none. */
export const drain = (): void => {
  for (const call of calls.splice(0)) api[call[0]]?.(...call.slice(1));
};

const methods: { [name: string]: (...args: any) => unknown } = {
  track: (name: unknown, data?: any) => emit({ name: snake(name), url: here, data }),
  page: (path?: string, title?: string) => view(address(path), title),
  identify,
  reset() {
    renew(1);
    view(address());
  },
  consent: (agrees: unknown) => (agrees ? begin(1) : stop()),
  optOut() {
    stop();
    refuse(1);
  },
  optIn() {
    if (isOptedOut()) {
      refuse('');
      begin();
    }
  },
  before(fn: any) {
    hook = fn;
  },
  flush() {
    // Nobody is to wait for a collector that does not answer.
    flush();
  },
};

const api: any = {
  version: VERSION,
  get visitorId() {
    return person?.v;
  },
  get sessionId() {
    return person && sessionId;
  },
};

/** Runs the small script on this page, and gives its interface. `early` are calls from before it was there. */
export const run = (early: any = []): Api => {
  for (const name in methods)
    api[name] = async (...args: any) => quietly(() => (person || /^[bco]/.test(name) ? methods[name]!(...args) : calls[MAX_CALLS - 1] || calls.push([name, ...args])));
  quietly(() => {
    calls = early;
    openStore();
    watch();
    begin();
    drain();
  });
  return api;
};

const begin = (agrees: unknown = setting('consent') != 'required'): void => {
  allow(agrees);
  look();
};
const stop = (): void => {
  allow(0);
  // What waits is nobody's any more.
  settle();
  queue.splice(0);
  clear();
};
