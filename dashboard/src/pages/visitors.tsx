import type { PageProps } from '../page-props';
import { VisitorDetail } from './visitor';
import { VisitorList } from './visitor-list';

export const Visitors = ({ selection, params }: PageProps) => (selection ? <VisitorDetail key={selection} id={selection} /> : <VisitorList params={params} />);
