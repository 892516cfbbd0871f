// The package's way to start: options in place of a script's attributes.

import { type Api, run } from './api';
import { attempt } from './guard';
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

/** Starts with what `watch` starts; a second call gives what the first one started. */
export const initWith = (watch: (early: unknown[]) => void, options: Options): Api => {
  if (typeof window == 'undefined') return nothing();
  started ??= attempt(() => {
    const page = window as unknown as { identity?: Api };
    if (page.identity?.version) return page.identity;
    const endpoint = new URL(options.endpoint ?? '/collect', location.href).href;
    settle((name) => (name == 'endpoint' ? endpoint : options[name as keyof Options]));
    return run(watch);
  });
  return started ?? nothing();
};
