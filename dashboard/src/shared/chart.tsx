// A figure by day, with the days before beside it: as lines, with exact values where the pointer or an arrow key is.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import * as format from '../format';
import { toDay } from '../range';
import { chart as texts } from '../texts';

interface Point {
  day: string;
  /** None where the project had no data yet. */
  value: number | null;
}

interface Props {
  label: string;
  current: Point[];
  /** As long as `current`. */
  previous: Point[];
}

const HEIGHT = 248;
/** Above this many days, single points would be a thick line. */
const MOST_POINTS = 45;

const secondsOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000;

/** Pixels that the name of a day takes. */
const LABEL = 64;
const HALF_A_DAY = 43_200;

/** Days that are named: evenly apart, and never two in one place. */
const namedDays = (days: number[], width: number): number[] => {
  const step = Math.max(1, Math.ceil((days.length * LABEL) / Math.max(LABEL, width)));
  return days.filter((_, index) => index % step === 0);
};

/** Draws with the theme's colours, which only the style sheet knows. */
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const draw = (root: HTMLElement, { label, current, previous }: Props, onCursor: (index: number | null) => void): uPlot => {
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
  };
  const points = { show: current.length <= MOST_POINTS, size: 5 };
  const days = current.map(({ day }) => secondsOf(day));
  return new uPlot(
    {
      width: root.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [12, 26, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: {
        x: { time: true, range: (_, first, last) => (days.length === 1 ? [first - HALF_A_DAY, first + HALF_A_DAY] : [first, last]) },
        y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] },
      },
      axes: [
        { ...axis, size: 30, splits: ({ width }) => namedDays(days, width), values: (_, splits) => splits.map((seconds) => format.day(toDay(seconds * 1000))) },
        { ...axis, size: 56, values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? format.number(value) : '')) },
      ],
      series: [
        {},
        { label: texts.previous, stroke: colour('--previous'), width: 1.5, dash: [4, 4], points: { show: current.length === 1, size: 5 } },
        { label, stroke: colour('--accent'), fill: colour('--accent-wash'), width: 2, points },
      ],
      hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)] },
    },
    [days, previous.map(({ value }) => value), current.map(({ value }) => value)],
    root,
  );
};

const valueOf = (point: Point | undefined): string => (point?.value == null ? format.text(null) : format.number(point.value));

export const Chart = (props: Props) => {
  const { label, current, previous } = props;
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [index, setIndex] = useState<number | null>(null);
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const onCursor = (at: number | null) => {
      setIndex(at);
      if (at !== null && plot.current) setLeft(plot.current.valToPos(plot.current.data[0][at] ?? 0, 'x') + plot.current.over.offsetLeft);
    };
    const redraw = () => {
      plot.current?.destroy();
      plot.current = draw(element, props, onCursor);
    };
    redraw();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    const themes = new MutationObserver(redraw);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      sizes.disconnect();
      themes.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [label, JSON.stringify(current), JSON.stringify(previous)]);

  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !plot.current) return;
    event.preventDefault();
    const next = Math.min(current.length - 1, Math.max(0, (index ?? (step > 0 ? -1 : current.length)) + step));
    plot.current.setCursor({ left: plot.current.valToPos(plot.current.data[0][next] ?? 0, 'x'), top: 0 });
  };
  const at = index === null ? undefined : current[index];
  const tip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = tip.current;
    if (!element || !root.current) return;
    const half = element.offsetWidth / 2;
    element.style.left = `${Math.min(root.current.clientWidth - half, Math.max(half, left))}px`;
  });
  return (
    <div class="chart">
      <div class="legend" aria-hidden="true">
        <span class="legend-current">{texts.current(label)}</span>
        <span class="legend-previous">{texts.previous}</span>
      </div>
      <div class="chart-plot" ref={root} role="group" aria-label={`${label}. ${texts.keys}`} tabIndex={0} onKeyDown={move} />
      {at && index !== null && (
        <div class="chart-tip" ref={tip} role="status">
          <p>
            <b>{format.fullDay(at.day)}</b>
            <span class="figure">{valueOf(at)}</span>
          </p>
          {previous[index] && (
            <p>
              <span>{format.fullDay(previous[index].day)}</span>
              <span class="figure">{valueOf(previous[index])}</span>
            </p>
          )}
        </div>
      )}
    </div>
  );
};
