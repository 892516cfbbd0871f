// Both scripts in one, for bundlers.

import { auto } from './auto';
import { whole } from './detectors/whole';

auto(whole);
