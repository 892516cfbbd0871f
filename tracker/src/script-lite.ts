import { auto } from './auto';
import { lite } from './detectors/lite';

auto(lite);
