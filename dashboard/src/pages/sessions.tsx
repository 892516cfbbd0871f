import type { PageProps } from '../page-props';
import { SessionDetail } from './session';
import { SessionList } from './session-list';

export const Sessions = ({ selection, params }: PageProps) => (selection ? <SessionDetail key={selection} id={selection} /> : <SessionList params={params} />);
