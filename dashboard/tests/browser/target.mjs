// What the tests are run against: the stand-in in front of `identity dev`, or, with IDENTITY_SERVES_DASHBOARD=1, `identity dev` alone.

import { execFileSync } from 'node:child_process';
import { PROJECT, SECRET_KEY, program, startIdentity } from './identity.mjs';
import { startStandIn } from './stand-in.mjs';

export const startTarget = async () => {
  const identity = await startIdentity();
  const ask = async (path) => {
    const response = await fetch(`${identity.base}/api/v1/${path}`, { headers: { Authorization: `Bearer ${SECRET_KEY}` } });
    return response.json();
  };
  if (process.env.IDENTITY_SERVES_DASHBOARD) {
    execFileSync(program(), ['project', 'create', 'shop', '--name', 'Web shop', '--host', 'shop.example', '--endpoint-url', identity.dynamodb]);
    const link = async ({ label, role = 'viewer', projects = null }) => {
      const named = (projects ?? []).flatMap((project) => ['--project', project]);
      const printed = execFileSync(program(), ['invite', '--label', label, '--role', role, ...named, '--base-url', identity.base, '--endpoint-url', identity.dynamodb], {
        encoding: 'utf8',
      });
      return printed.match(/\S+#\/sign-in\/\S+/)[0];
    };
    const hasKey = async (key) => (await fetch(`${identity.base}/api/v1/stats`, { headers: { Authorization: `Bearer ${key}` } })).ok;
    return { origin: identity.base, ask, link, hasKey, project: PROJECT, stop: identity.stop };
  }
  const standIn = await startStandIn(identity);
  return {
    ...standIn,
    ask,
    project: PROJECT,
    stop: () => {
      standIn.stop();
      identity.stop();
    },
  };
};
