// The package's way to start: options in place of a script's attributes.

import type { Api } from './api';
import { type Options, settle } from './settings';

let started: Api | undefined;

/** An interface that does nothing: on a server, where there is no page. */
const nothing = (): Api => {
  const ignore = (): void => {};
  return {
    track: ignore,
    page: ignore,
    identify: ignore,
    reset: ignore,
    consent: ignore,
    optOut: ignore,
    optIn: ignore,
    flush: () => Promise.resolve(),
    before: ignore,
    visitorId: undefined,
    sessionId: undefined,
    version: '',
  };
};

/** Runs a tracker by options; a second call gives what the first one started. */
export const initWith = (run: () => Api, options: Options): Api => {
  if (typeof window == 'undefined') return nothing();
  const page = window as unknown as { identity?: Api };
  // A script that is there already.
  started ??= page.identity?.version ? page.identity : undefined;
  try {
    if (!started) {
      const endpoint = new URL(options.endpoint ?? '/collect', location.href);
      settle((name) => (name == 'endpoint' ? endpoint : options[name as keyof Options]));
      started = run();
    }
  } catch {}
  return started ?? nothing();
};
