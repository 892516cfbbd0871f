// Both scripts in one, for bundlers.

import { run } from './api';
import { auto } from './auto';
import { whole } from './detectors/whole';
import { attempt } from './guard';

attempt(() => auto((early) => run(whole, early)));
