// All that watches the page, by the name that `off` knows it by.

import type { Detector } from '../api';
import { layBait } from '../ad-block';
import { clicks } from './clicks';
import { errors } from './errors';
import { forms } from './forms';
import { score } from './frustration';
import { logs } from './logs';
import { reading } from './reading';
import { seo } from './seo';
import { vitals } from './vitals';

export const detectors: { [name: string]: Detector } = {
  clicks,
  errors,
  logs,
  forms,
  reading,
  vitals,
  seo,
  // Last, as it counts what the others found.
  score,
  bait: layBait,
};
