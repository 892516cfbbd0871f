// What watches the page from the first moment.

import { errors } from './errors';
import { vitals } from './vitals';

export const first = { errors, vitals };
