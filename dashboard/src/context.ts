// What every page needs to know: whose figures are shown, of which days, to whom.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Me } from './api/manage';
import type { Range } from './range';

export interface View {
  project: string;
  range: Range;
  /** Not yet known right after the start. */
  me: Me | undefined;
  /** After a project was made or changed. */
  refreshMe: () => void;
}

export const ViewContext = createContext<View | undefined>(undefined);

export const useView = (): View => {
  const view = useContext(ViewContext);
  if (!view) throw new Error('A page is shown in a view');
  return view;
};
