// The script: reads its own tag, and puts `identity` on the page.

import type { Api, Detector } from './api';
import { run } from './api';
import { attempt } from './guard';
import { settle } from './settings';

/** Starts by the script's tag. A second script on the page does nothing: some routers run a body's scripts again and again. */
export const auto = (detectors: { [name: string]: Detector }): void => {
  attempt(() => {
    const page = window as unknown as { identity?: Partial<Api> & { q?: unknown[] } };
    // Modules and tag managers' scripts are no current script.
    const script = [document.currentScript, document.querySelector('script[data-key^=pk_live_]')].find((found) => found?.getAttribute('data-key')) as
      | HTMLScriptElement
      | undefined;
    if (!script || page.identity?.version) return;
    settle((name) => {
      const value = script.dataset[name];
      return name == 'endpoint' ? new URL(value ?? 'collect', (value == null && script.src) || location.href).href : value;
    });
    const calls = page.identity?.q;
    page.identity = run(detectors, Array.isArray(calls) ? calls : []);
  });
};
