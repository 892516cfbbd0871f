// The script: reads its own tag, and puts `identity` on the page.

import type { Api } from './api';
import { settle } from './settings';

declare const VERSION: string;

/** Runs a tracker by the script's tag, with the calls from before. A second script on the page does nothing: some routers run a body's scripts again and again. */
export const auto = (run: (early: unknown, script: HTMLScriptElement) => Api): void => {
  const page = window as unknown as { identity?: Partial<Api> & { q?: unknown[] } };
  // Modules and tag managers' scripts are no current script.
  const own = document.currentScript as HTMLScriptElement | null;
  const script = own?.dataset.key ? own : document.querySelector<HTMLScriptElement>('script[data-key^=pk_]');
  if (!script || page.identity?.version) return;
  settle((name) => {
    const value = script.dataset[name];
    // The collector has no version, unlike the folder of a script that is held to its hash.
    return name == 'endpoint' ? new URL(value || 'collect', (!value && script.src.replace('/v/' + VERSION, '')) || (location as any)) : value;
  });
  page.identity = run(page.identity?.q, script);
};
