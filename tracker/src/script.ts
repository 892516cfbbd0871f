import { auto } from './auto';
import { detectors } from './detectors';

auto(detectors);
