import { auto } from './auto';
import { detectors } from './detectors/lite';

auto(detectors);
