// Serves the files of dist/ on demo data, to look at: npm start. PORT chooses the port.

import { startTarget } from './target.mjs';

const target = await startTarget({ isFromDist: true });
console.log(await target.link({ label: 'ana', role: 'admin' }));
console.log(await target.link({ label: 'vera', role: 'viewer' }));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    target.stop();
    process.exit();
  });
}
