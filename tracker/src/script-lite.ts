// The small script: page views, sessions, calls and web vitals.

import { auto } from './auto';
import { run } from './lite/api';
import { quietly } from './quietly';

quietly(() => auto(run));
