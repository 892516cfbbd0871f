import { type Api, run } from './api';
import { whole } from './detectors/whole';
import { initWith } from './init';
import type { Options } from './settings';

export type { Api, Options };
export type { Hook, TrackedEvent } from './queue';

/** Starts the tracker with all its detectors. */
export const init = (options: Options): Api => initWith(() => run(whole), options);
