// A handful of pictures, drawn on 16 by 16. They never stand alone: a text says the same.

const PATHS = {
  overview: 'M2 13.5V9M6 13.5V5M10 13.5V7.5M14 13.5V2.5',
  live: 'M8 8h.01M5.2 10.8a4 4 0 0 1 0-5.6M10.8 5.2a4 4 0 0 1 0 5.6M3 13A7 7 0 0 1 3 3M13 3a7 7 0 0 1 0 10',
  visitors: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8ZM2.5 14c.6-2.6 2.7-4 5.5-4s4.9 1.4 5.5 4',
  sessions: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM8 4.5V8l2.4 1.6',
  frustration: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM5.5 11.2c1.4-1.8 3.6-1.8 5 0M5.7 6.2h.01M10.3 6.2h.01',
  pages: 'M4 1.8h5.5L12.5 5v9.2H4ZM9.3 2v3.2h3M6.3 8.3h4M6.3 11h4',
  journeys: 'M2 4h2.5c4 0 3 8 7 8H14M2 12h2.5c1.4 0 2.2-1 2.8-2.2M8.7 6.2C9.3 5 10.1 4 11.5 4H14M12 2l2 2-2 2M12 10l2 2-2 2',
  forms: 'M2 3h12v4H2ZM2 10h7.5v3.5H2ZM4.5 4.5v1',
  acquisition: 'M2 8h8M7 4.8 10.2 8 7 11.2M9 2h5v12H9',
  audience: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM2 8h12M8 1.8c4 3.6 4 8.8 0 12.4M8 1.8c-4 3.6-4 8.8 0 12.4',
  speed: 'M3 13a6.2 6.2 0 1 1 10 0M8 9.5l2.8-3.3M8 9.5h.01',
  api: 'M6 4 2 8l4 4M10 4l4 4-4 4',
  settings: 'M2 4.5h7M12.5 4.5H14M2 11.5h1.5M7 11.5h7M10.7 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM5.3 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z',
  download: 'M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  copy: 'M5.5 5.5h8v8h-8ZM10.5 5.3V2.5h-8v8h2.8',
  search: 'M7 11.8A4.8 4.8 0 1 0 7 2.2a4.8 4.8 0 0 0 0 9.6ZM10.6 10.6 14 14',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  out: 'M6.5 2.5h-4v11h4M6 8h8M11 4.8 14.2 8 11 11.2',
  external: 'M6.5 3h-4v10.5H13V9.5M9 2.5h4.5V7M13.3 2.7 7.5 8.5',
  warning: 'M8 2 14.5 13.5h-13ZM8 6.3v3.2M8 11.6h.01',
  theme: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  menu: 'M2 4h12M2 8h12M2 12h12',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
