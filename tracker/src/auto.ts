// The script: reads its own tag, and puts `identity` on the page.

import type { Api } from './api';
import { run } from './api';
import { attempt } from './guard';
import { settle } from './settings';

declare const VERSION: string;

/** Starts by the script's tag. A second script on the page does nothing: some routers run a body's scripts again and again. */
export const auto = (watch: (early: unknown[], script: HTMLScriptElement) => void): void => {
  attempt(() => {
    const page = window as unknown as { identity?: Partial<Api> & { q?: unknown[] } };
    // Modules and tag managers' scripts are no current script.
    const script = [document.currentScript, document.querySelector('script[data-key^=pk_live_]')].find((found: any) => found?.dataset.key) as HTMLScriptElement | undefined;
    if (!script || page.identity?.version) return;
    // The collector has no version, unlike the folder of a script that is held to its hash.
    const folder = script.src.replace('/v/' + VERSION, '');
    settle((name) => {
      const value = script.dataset[name];
      return name == 'endpoint' ? new URL(value ?? 'collect', (value == null && folder) || location.href).href : value;
    });
    const calls = page.identity?.q;
    page.identity = run((early) => watch(early, script), Array.isArray(calls) ? calls : []);
  });
};
