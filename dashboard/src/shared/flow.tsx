// Where visitors go from each page: bands as thick as the count, from the page on the left to the next on the right.

import { sankey, sankeyLinkHorizontal, type SankeyLink, type SankeyNode } from 'd3-sankey';
import * as format from '../format';
import { journeys as texts } from '../texts';

export interface Flow {
  from: string;
  to: string;
  count: number;
  kind: 'entry' | 'way' | 'exit';
}

interface Node {
  id: string;
  name: string;
  side: 'from' | 'to';
}

const WIDTH = 960;
const ROW = 36;
const NODE = 12;
/** Room for names on either side. */
const MARGIN = 210;
const MOST_LETTERS = 30;

const shorten = (name: string): string => (name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name);

export const FlowPicture = ({ flows }: { flows: Flow[] }) => {
  const nodes = new Map<string, Node>();
  const nodeOf = (side: Node['side'], isPage: boolean, name: string): string => {
    const id = `${side} ${isPage} ${name}`;
    nodes.set(id, { id, name, side });
    return id;
  };
  // A page stands on both sides, as its ways go in circles.
  const links = flows.map(({ from, to, count, kind }) => ({ source: nodeOf('from', kind !== 'entry', from), target: nodeOf('to', kind !== 'exit', to), value: count, kind }));
  const list = [...nodes.values()];
  const height = Math.max(180, ROW * Math.max(list.filter(({ side }) => side === 'from').length, list.filter(({ side }) => side === 'to').length));
  const layout = sankey<Node, { kind: Flow['kind'] }>()
    .nodeId(({ id }) => id)
    .nodeWidth(NODE)
    .nodePadding(14)
    .extent([
      [MARGIN, 10],
      [WIDTH - MARGIN, height - 10],
    ])({ nodes: list.map((node) => ({ ...node })), links });
  const path = sankeyLinkHorizontal<SankeyNode<Node, object>, SankeyLink<Node, object>>();
  const nameOf = (end: unknown): string => (end as Node).name;
  return (
    <div class="table-scroll" role="region" aria-label={texts.title} tabIndex={0}>
      <svg class="flow" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={texts.picture}>
        {layout.links.map((link, index) => (
          <path key={index} class={`flow-link is-${link.kind}`} d={path(link) ?? ''} stroke-width={Math.max(1, link.width ?? 1)}>
            <title>{texts.flow(nameOf(link.source), nameOf(link.target), format.number(link.value))}</title>
          </path>
        ))}
        {layout.nodes.map(({ id, name, side, x0 = 0, x1 = 0, y0 = 0, y1 = 0 }) => (
          <g key={id} class="flow-node">
            <rect x={x0} y={y0} width={x1 - x0} height={Math.max(1, y1 - y0)} />
            <text x={side === 'from' ? x0 - 8 : x1 + 8} y={(y0 + y1) / 2} dy="0.35em" text-anchor={side === 'from' ? 'end' : 'start'}>
              {shorten(name)}
              <title>{name}</title>
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
};
