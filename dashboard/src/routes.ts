// The pages, in the order of the navigation. Each is fetched when it is first opened; the Overview comes with the first script, as it is
// where most begin.

import type { ComponentType } from 'preact';
import type { PageProps } from './page-props';
import { Overview } from './pages/overview';
import type { IconName } from './shared/icons';
import type { shell } from './texts';

export type PageName = keyof typeof shell.pages & IconName;

export interface Route {
  name: PageName;
  load: () => Promise<ComponentType<PageProps>>;
  isForAdmins?: boolean;
  /** Its figures are not of the chosen days. */
  isWithoutRange?: boolean;
}

export const GROUPS: Route[][] = [
  [
    { name: 'overview', load: async () => Overview },
    { name: 'live', load: async () => (await import('./pages/live')).Live, isWithoutRange: true },
  ],
  [
    { name: 'visitors', load: async () => (await import('./pages/visitors')).Visitors },
    { name: 'sessions', load: async () => (await import('./pages/sessions')).Sessions },
    { name: 'frustration', load: async () => (await import('./pages/frustration')).Frustration },
  ],
  [
    { name: 'pages', load: async () => (await import('./pages/pages')).Pages },
    { name: 'journeys', load: async () => (await import('./pages/journeys')).Journeys },
    { name: 'forms', load: async () => (await import('./pages/forms')).Forms },
    { name: 'acquisition', load: async () => (await import('./pages/acquisition')).Acquisition },
    { name: 'audience', load: async () => (await import('./pages/audience')).Audience },
    { name: 'speed', load: async () => (await import('./pages/speed')).Speed },
  ],
  [
    { name: 'api', load: async () => (await import('./pages/api')).Api },
    { name: 'settings', load: async () => (await import('./pages/settings')).Settings, isForAdmins: true, isWithoutRange: true },
  ],
];

const ROUTES = GROUPS.flat();

/** Without a path it is the Overview. */
export const routeOf = (path: string[]): Route | undefined => (path.length ? ROUTES.find(({ name }) => name === path[0]) : ROUTES[0]);
