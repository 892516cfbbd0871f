// What the small script watches.

import type { Detector } from '../api';
import { vitals } from './vitals';

export const detectors: { [name: string]: Detector } = { vitals };
