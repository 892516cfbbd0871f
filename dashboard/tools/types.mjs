// Makes the types of the API's answers from its description: node tools/types.mjs [FILE]

import { readFileSync, writeFileSync } from 'node:fs';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { description, schema } from './folders.mjs';

const file = process.argv[2] ?? schema;
const nodes = await openapiTypescript(JSON.parse(readFileSync(description, 'utf8')));
writeFileSync(file, `// Made from docs/openapi.json: npm run types\n\n${astToString(nodes)}`);
