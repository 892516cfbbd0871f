import type { Api } from './api';
import { detectors } from './detectors';
import { initWith } from './init';
import type { Options } from './settings';

export type { Api, Options };
export type { Hook, TrackedEvent } from './queue';

/** Starts the tracker with all its detectors. */
export const init = (options: Options): Api => initWith(detectors, options);
