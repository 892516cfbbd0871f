import type { Api } from './api';
import { lite } from './detectors/lite';
import { initWith } from './init';
import type { Options } from './settings';

export type { Api, Options };
export type { Hook, TrackedEvent } from './queue';

/** Starts the small tracker: page views, sessions and web vitals. */
export const init = (options: Options): Api => initWith(lite, options);
