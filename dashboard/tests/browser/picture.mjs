// Makes docs/dashboard.png, the picture of the README: npm run picture

import { join } from 'node:path';
import { root } from '../../tools/folders.mjs';
import { launch, signIn } from './browser.mjs';
import { startTarget } from './target.mjs';

const target = await startTarget();
const browser = await launch();
const { tab } = await signIn(browser, target, { colorScheme: 'light', viewport: { width: 1280, height: 852 } });
await tab.screenshot({ path: join(root, '../docs/dashboard.png') });
await browser.close();
target.stop();
