// The second script, which the first one fetches.

import { more } from './detectors/more';
import { start } from './kit';

start(more);
