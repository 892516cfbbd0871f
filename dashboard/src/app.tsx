// Who is signed in, and then the page that the address names.

import { useEffect, useState } from 'preact/hooks';
import * as manage from './api/manage';
import { useAddress } from './address';
import { ViewContext } from './context';
import { fromParams, toDay } from './range';
import { rememberProject, rememberedProject } from './remembered';
import { Shell } from './shell';
import { useAnswer, whenSignedOut } from './shared/answer';
import { Failed } from './shared/states';
import { SignIn, SignedOut } from './sign-in';

/** The one that is asked for, as far as it is known that this person may see it. */
const projectFor = (wanted: string | undefined, me: manage.Me | undefined): string | undefined => {
  if (wanted) return wanted;
  const visible = me?.visible_projects;
  const remembered = rememberedProject();
  if (remembered && (!visible || visible.some(({ id }) => id === remembered))) return remembered;
  return visible?.[0]?.id;
};

const Signed = () => {
  const { path, params } = useAddress();
  const me = useAnswer('me', manage.me);
  const project = projectFor(params.project, me.data);
  useEffect(() => {
    if (project) rememberProject(project);
  }, [project]);
  if (me.failure && me.failure.status !== 401) {
    return (
      <main class="alone">
        <Failed failure={me.failure} again={me.again} />
      </main>
    );
  }
  // Whoever is not let in sees no frame of what is inside.
  if (!me.data && !project) return null;
  const now = Date.now();
  const { preset, range } = fromParams(params, now);
  return (
    <ViewContext.Provider value={{ project: project ?? '', range, me: me.data, refreshMe: me.again }}>
      {/* Another day, and the ranges that end today are others. */}
      <Shell key={toDay(now)} path={path} params={params} preset={preset} />
    </ViewContext.Provider>
  );
};

export const App = () => {
  const { path } = useAddress();
  const [isSignedOut, setSignedOut] = useState(false);
  useEffect(() => whenSignedOut(() => setSignedOut(true)), []);
  if (path[0] === 'sign-in') return <SignIn token={path[1] ?? ''} onDone={() => setSignedOut(false)} />;
  if (isSignedOut) return <SignedOut />;
  return <Signed />;
};
