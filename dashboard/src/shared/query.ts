import type { Scope } from '../api/read';
import { useView } from '../context';
import type { Range } from '../range';
import { type Answer, useAnswer } from './answer';

/** An answer about the chosen project and days; `key` tells apart what is asked for besides. */
export const useFigures = <Data>(key: string, read: (scope: Scope, range: Range) => Promise<Data>): Answer<Data> => {
  const { project, range } = useView();
  return useAnswer(JSON.stringify([key, project, range]), (signal) => read({ project, signal }, range));
};
