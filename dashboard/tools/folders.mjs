// Where things are.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const description = join(root, '../docs/openapi.json');
export const schema = join(root, 'src/api/schema.ts');
