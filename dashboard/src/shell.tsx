// What stands around every page: navigation, project, days and colours.

import type { ComponentType } from 'preact';
import { useEffect, useErrorBoundary, useRef, useState } from 'preact/hooks';
import { signOut } from './api/manage';
import { hrefTo, replace } from './address';
import { useView } from './context';
import type { Preset } from './range';
import type { PageProps } from './page-props';
import { GROUPS, routeOf, type Route } from './routes';
import { Icon } from './shared/icons';
import { Link } from './shared/link';
import { ProjectSwitch } from './shared/project-switch';
import { RangePicker } from './shared/range-picker';
import { Empty } from './shared/states';
import { ThemeSwitch } from './shared/theme-switch';
import { product, settings, shell as texts } from './texts';

/** Pages whose code is here already. */
const loaded = new Map<Route, ComponentType<PageProps>>();

const Broken = ({ title, advice }: { title: string; advice: string }) => (
  <div role="alert">
    <Empty title={title}>
      {advice}{' '}
      <button type="button" onClick={() => location.reload()}>
        {texts.reload}
      </button>
    </Empty>
  </div>
);

const Page = ({ route, selection, params }: { route: Route } & PageProps) => {
  const [, setLoaded] = useState<Route | undefined>();
  const [hasFailed, setFailed] = useState(false);
  // An answer of another shape than it is described to have.
  const [error, forget] = useErrorBoundary();
  const asked = JSON.stringify([selection, params]);
  useEffect(forget, [asked]);
  useEffect(() => {
    if (loaded.has(route)) return;
    route.load().then(
      (component) => {
        loaded.set(route, component);
        setLoaded(route);
      },
      () => setFailed(true),
    );
  }, [route]);
  const Component = loaded.get(route);
  if (error) return <Broken title={texts.noPage} advice={texts.noPageAdvice} />;
  if (Component) {
    return (
      <>
        <Component selection={selection} params={params} />
        <footer class="foot">{texts.footer}</footer>
      </>
    );
  }
  return hasFailed ? <Broken title={texts.noCode} advice={texts.noCodeAdvice} /> : null;
};

const Navigation = ({ current }: { current: Route | undefined }) => {
  const { me } = useView();
  const isVisible = ({ isForAdmins }: Route) => !isForAdmins || me?.role === 'admin';
  return (
    <nav class="navigation" aria-label={texts.navigation}>
      {GROUPS.map((routes, index) => (
        <ul key={index}>
          {routes.filter(isVisible).map((route) => (
            <li key={route.name}>
              <a href={hrefTo(route.name === 'overview' ? [] : [route.name])} aria-current={route === current ? 'page' : undefined}>
                <Icon name={route.name} /> {texts.pages[route.name]}
              </a>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
};

const Account = () => {
  const { me } = useView();
  if (!me) return <div class="account" />;
  const leave = async () => {
    await signOut().catch(() => {});
    replace('#/');
    location.reload();
  };
  return (
    <div class="account">
      <span class="clip">{texts.signedInAs(me.label, settings.roles[me.role] ?? me.role)}</span>
      <button type="button" class="quiet" onClick={() => void leave()}>
        <Icon name="out" /> {texts.signOut}
      </button>
    </div>
  );
};

/** The page, or why there is none. */
const Content = ({ route, selection, params }: { route: Route | undefined } & PageProps) => {
  const { me, project } = useView();
  if (!route) return <Empty title={texts.unknownPage}>{texts.unknownPageAdvice}</Empty>;
  if (route.isForAdmins && !me) return null;
  if (!route.isForAdmins && me) {
    const { role, projects, visible_projects: visible } = me;
    if (!project) return <Empty title={texts.noProject}>{role === 'admin' && !projects ? <Link to={['settings']}>{texts.noProjectAdvice}</Link> : texts.noProjectOfYours}</Empty>;
    if (!visible.some(({ id }) => id === project)) return <Empty title={texts.unknownProject(project)}>{texts.unknownProjectAdvice}</Empty>;
  }
  return <Page key={`${route.name} ${project}`} route={route} selection={selection} params={params} />;
};

interface Props {
  path: string[];
  params: Record<string, string>;
  preset: Preset | undefined;
}

export const Shell = ({ path, params, preset }: Props) => {
  const { me, project } = useView();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const route = routeOf(path);
  const isAllowed = !route?.isForAdmins || !me || me.role === 'admin';
  const title = route && isAllowed ? texts.pages[route.name] : texts.unknownPage;
  const place = path.join('/');
  const lastPlace = useRef(place);
  useEffect(() => {
    document.title = texts.title(title, project || product);
  }, [title, project]);
  useEffect(() => {
    setMenuOpen(false);
    // Another page: whoever hears instead of sees is told so, and it begins at its top.
    if (lastPlace.current !== place) {
      scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    lastPlace.current = place;
  }, [place]);
  return (
    <div class={`shell ${isMenuOpen ? 'is-menu-open' : ''}`}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), heading.current?.focus())}>
        {texts.skip}
      </a>
      <header class="side">
        <div class="side-inner">
          <div class="brand">
            <a href={hrefTo([])}>{product}</a>
            <button type="button" class="quiet menu-button" aria-expanded={isMenuOpen} onClick={() => setMenuOpen(!isMenuOpen)}>
              <Icon name="menu" /> {texts.menu}
            </button>
          </div>
          <div class="side-rest">
            <ProjectSwitch />
            <Navigation current={isAllowed ? route : undefined} />
            <div class="side-end">
              <ThemeSwitch />
              <Account />
            </div>
          </div>
        </div>
      </header>
      <main id="main">
        <div class="top">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {route && isAllowed && !route.isWithoutRange && <RangePicker key={place} preset={preset} />}
        </div>
        <Content route={isAllowed ? route : undefined} selection={path[1]} params={params} />
      </main>
    </div>
  );
};
