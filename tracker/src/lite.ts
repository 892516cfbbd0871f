import type { Api } from './api';
import { start } from './detectors/start';
import { vitals } from './detectors/vitals';
import { initWith } from './init';
import type { Options } from './settings';

export type { Api, Options };
export type { Hook, TrackedEvent } from './queue';

/** Starts the small tracker: page views, sessions and web vitals. */
export const init = (options: Options): Api => initWith(() => start({ vitals }), options);
