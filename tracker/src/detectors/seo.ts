// What search engines would object to on a page.

import { attempt, later } from '../guard';
import { change, session } from '../identity';
import { here } from '../address';
import { onView } from '../pages';
import { detect } from '../queue';
import { hash32 } from '../random';
import { scrub } from '../text';

const QUIET = 1000;
const MAX_WAIT = 10_000;
const MAX_PAGES = 100;

const $$ = (selector: string): Element[] => [...document.querySelectorAll(selector)];

const contentOf = (selector: string): string => ($$(selector)[0]?.getAttribute('content') ?? '').trim();

const isBroken = ({ textContent }: Element): boolean => {
  try {
    JSON.parse(textContent!);
    return false;
  } catch {
    return true;
  }
};

const isDecoration = (image: Element): boolean =>
  !!image.closest('[aria-hidden=true],[role=presentation],[role=none],[data-identity-ignore]') || (image as HTMLImageElement).width <= 2 || (image as HTMLImageElement).height <= 2;

/** The page's diagnostics; nothing for pages that are none: error pages, walls of consent. */
const diagnose = (): Record<string, unknown> | undefined => {
  const title = document.title.trim();
  if (!title && document.body.innerText.split(/\s+/, 21).length < 20) return;
  const description = contentOf('meta[name=description i]');
  const headings = $$('h1,h2,h3,h4,h5,h6').map(({ localName }) => +localName[1]!);
  const h1 = headings.filter((level) => level == 1).length;
  const missing = $$('img:not([alt])').filter((image) => !isDecoration(image)).length;
  const canonicals = $$('link[rel~=canonical i][href]').length;
  const titleLength = [...title].length;
  const descriptionLength = [...description].length;
  const checks: { [code: string]: unknown } = {
    missing_title: !title,
    title_too_short: title && titleLength < 10,
    title_too_long: titleLength > 60,
    missing_meta_description: !description,
    meta_description_too_short: description && descriptionLength < 50,
    meta_description_too_long: descriptionLength > 160,
    missing_h1: !h1,
    multiple_h1: h1 > 1,
    skipped_heading_level: headings.some((level, index) => index && level > headings[index - 1]! + 1),
    images_missing_alt: missing,
    missing_canonical: !canonicals,
    multiple_canonical: canonicals > 1,
    noindex: /noindex|none/i.test(contentOf('meta[name=robots i]')),
    missing_viewport: !contentOf('meta[name=viewport i]'),
    missing_lang: !document.documentElement.getAttribute('lang'),
    missing_open_graph: !contentOf('meta[property="og:title"]') || !contentOf('meta[property="og:image"]'),
    invalid_structured_data: $$('script[type="application/ld+json"]').some(isBroken),
  };
  return {
    title: scrub(title.replace(/^\(\d+\+?\)\s*/, ''), 200),
    title_length: titleLength,
    meta_description_length: descriptionLength,
    h1_count: h1,
    images_missing_alt: missing,
    issues: Object.keys(checks).filter((code) => checks[code]).sort(),
  };
};

export const seo = (): void => {
  onView(() => {
    const url = here;
    const key = hash32(url).toString(36);
    if (session().q.includes(key)) return;
    const began = Date.now();
    let timer: number;
    const look = (): void => {
      observer.disconnect();
      if (url != here) return;
      const facts = attempt(diagnose);
      if (!facts || !detect('seo_diagnostics', facts)) return;
      change((session) => (session.q = [...session.q, key].slice(-MAX_PAGES)));
    };
    const idle = (): void => {
      (window.requestIdleCallback ?? ((fn: () => void) => setTimeout(fn)))(() => attempt(look), { timeout: 1000 });
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = later(document.readyState == 'complete' || Date.now() - began > MAX_WAIT ? idle : wait, QUIET);
    };
    // Routes are rendered after their address has changed.
    const observer = new MutationObserver(() => {
      if (Date.now() - began < MAX_WAIT) wait();
    });
    observer.observe(document.querySelector('main') ?? document.documentElement, { childList: true, subtree: true });
    wait();
  });
};
