// What the tests are run against: `identity dev`, which serves the dashboard that it was built with. With DASHBOARD_FROM_DIST=1 the
// files of dist/ are served in front of it, so that it need not be built anew.

import { startFront } from './front.mjs';
import { PROJECT, SECRET_KEY, startIdentity } from './identity.mjs';

export const startTarget = async ({ isEmpty = false, isFromDist = !!process.env.DASHBOARD_FROM_DIST } = {}) => {
  const identity = await startIdentity({ isEmpty });
  const front = isFromDist ? await startFront(identity.base) : undefined;
  const origin = front?.origin ?? identity.base;
  const stop = () => {
    front?.stop();
    identity.stop();
  };
  const link = async ({ label, role = 'viewer', projects = null }) => {
    const named = (projects ?? []).flatMap((project) => ['--project', project]);
    return (await identity.run('invite', '--label', label, '--role', role, ...named, '--base-url', origin)).trim();
  };
  const post = async (path, body, cookie = '') => {
    const response = await fetch(`${origin}/manage/v1/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: origin, Cookie: cookie },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  /** The cookie of somebody who is let in, as a header has it. */
  const cookieOf = async (person) => {
    const [, token] = (await link(person)).split('#/sign-in/');
    return (await post('sign-in', { token })).headers.get('set-cookie').split(';')[0];
  };
  try {
    const cookie = await cookieOf({ label: 'set-up', role: 'admin' });
    await post('projects', { id: 'shop', name: 'Web shop', hosts: ['shop.example'] }, cookie);
    await post('sign-out', {}, cookie);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    origin,
    project: PROJECT,
    firstLink: identity.link.replace(identity.base, origin),
    importLines: identity.importLines,
    /** Asks the API. */
    ask: async (path) => (await fetch(`${origin}/api/v1/${path}`, { headers: { Authorization: `Bearer ${SECRET_KEY}` } })).json(),
    /** Sends a batch of events, as the browser of a visitor would. */
    collect: async (batch, userAgent) => {
      const headers = { 'Content-Type': 'text/plain', 'User-Agent': userAgent };
      const response = await fetch(`${origin}/collect`, { method: 'POST', headers, body: JSON.stringify(batch) });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
    },
    link,
    stop,
  };
};
