// Sends batches: from a timer while the page lives, by a beacon when it is left. What is not answered is kept, and sent by a later
// page.

import { quietly } from '../quietly';
import { randomId } from '../random';
import { setting } from '../settings';
import { queue } from './events';
import { here, leftAt, settle } from './pages';
import { allow, person, sessionId } from './session';
import { area, isOptedOut, read, write } from './store';

/** What a page may leave to the next one, in characters: less than half of the events of a batch. */
const MAX_CARRIED = 3000;
/** Events with which there is room for those. */
const MANY = 40;
const MAX_BATCHES = 20;

let timer: number | undefined;
/** The wait after the last failure, which is twice as long each time; 5 s as long as nothing failed. */
let wait = 5000;
let delivery: Promise<void> | undefined;

/** A kept batch, since when, and whether the next page may take its events. */
interface Entry {
  b: any;
  at: number;
  c?: unknown;
}

/** What is kept, but for one batch that was answered or taken. */
const others = (id?: unknown): Entry[] => quietly(() => read('.waiting').filter(({ b }: Entry) => b.batch_id != id)) ?? [];

const drop = (id: unknown, ...more: Entry[]): void => write('.waiting', [...others(id), ...more].slice(-MAX_BATCHES));

/** The instant is that of sending, even of an old batch: the server corrects the others by it. */
const bodyOf = (batch: object): string => JSON.stringify({ key: setting('key'), sent_at: Date.now(), ...batch });

/** Sends the kept batches, one by one, once those before are. Other pages send them as well, so each is asked for when its turn comes. */
const send = async (before: Promise<void> | undefined): Promise<void> => {
  await before;
  try {
    for (let b; person && (b = others()[0]?.b); drop(b.batch_id)) {
      const { status } = await fetch(setting('endpoint'), {
        method: 'POST',
        // Text is sent as text/plain, which needs no preflight.
        body: bodyOf(b),
        keepalive: true,
        credentials: 'omit',
        // The page's own policy could hide the origin, which projects may list, or show the address.
        referrerPolicy: 'origin',
      });
      if (status > 403) throw 0;
      // The key or the origin is refused: this page has nothing more to say.
      if (status > 400) allow(0);
    }
  } catch {
    flushIn((wait *= 2));
  }
};

/** All that waits, as a batch, with what the page before left. */
const pack = (): any => {
  clearTimeout(timer);
  timer = 0;
  if (!person || isOptedOut()) return;
  settle();
  others().forEach(({ b, c }) => {
    if (c && b.session.session_id == sessionId && !queue[MANY]) {
      drop(b.batch_id);
      queue.unshift(...b.events);
    }
  });
  return (
    queue[0] && {
      batch_id: 'b_' + randomId(),
      page: here,
      visitor: {
        visitor_id: person!.v,
        screen_width: screen.width,
        screen_height: screen.height,
        timezone: quietly(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
        language: navigator.language,
        bot_score: 100 * (navigator.webdriver as any),
        aliases: person!.a,
      },
      session: { session_id: sessionId, started_at: person!.t, url: person!.u, referrer: person!.r, ...person!.m },
      events: queue.splice(0),
    }
  );
};

const keep = (b: object, c?: unknown): void => drop(0, { b, at: Date.now(), c });

/** Sends what waits after so long; if it is going to be already, then. */
export const flushIn = (ms = 15_000): void => {
  timer ||= setTimeout(flush, ms) as unknown as number;
};

/** Leaves what waits to the next page, if there will be one, or sends it as the page is left. */
export const leave = (): void => {
  const b = pack();
  if (!b) return;
  if (area.length && Date.now() - leftAt < 10_000 && bodyOf(b).length < MAX_CARRIED) keep(b, 1);
  else if (wait > 5000 || !quietly(() => navigator.sendBeacon(setting('endpoint'), bodyOf(b)))) {
    keep(b);
    flush();
  }
};

/** Sends what waits; done when it was answered or is kept for later. */
export const flush = (): Promise<void> => {
  quietly(() => {
    const b = pack();
    if (b) keep(b);
  });
  return (delivery = send(delivery));
};
