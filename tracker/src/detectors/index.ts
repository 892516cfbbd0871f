// All that watches the page, by the name that `off` knows it by.

import type { Detector } from '../api';

export const detectors: { [name: string]: Detector } = {};
