// What watches the page once it is idle.

import { bait } from './bait';
import { clicks } from './clicks';
import { forms } from './forms';
import { score } from './frustration';
import { heartbeat } from './heartbeat';
import { links } from './links';
import { logs } from './logs';
import { reading } from './reading';
import { seo } from './seo';

export const more = {
  clicks,
  logs,
  forms,
  reading,
  seo,
  // Last, as it counts what the others found.
  score,
  bait,
  heartbeat,
  links,
};
