import type { Api } from './api';
import { initWith } from './init';
import { run } from './lite/api';
import type { Options } from './settings';

export type { Api, Options };
export type { Hook, TrackedEvent } from './queue';

/** Starts the small tracker: page views, sessions and web vitals. */
export const init = (options: Options): Api => initWith(run, options);
