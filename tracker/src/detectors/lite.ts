// What the small script watches.

import type { Detector } from '../api';

export const detectors: { [name: string]: Detector } = {};
