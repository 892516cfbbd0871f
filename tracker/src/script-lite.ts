import { auto } from './auto';
import { start } from './detectors/start';
import { vitals } from './detectors/vitals';

auto(() => start({ vitals }));
