// What search engines would object to on a page.

import { attempt, change, detect, guard, hash32, here, idle, later, onView, read, session, titleOf } from '../kit';

const QUIET = 1000;
const MAX_WAIT = 10_000;
const MAX_PAGES = 100;

const all = (selector: string): Element[] => [...document.querySelectorAll(selector)];

/** The content of a `meta` element. */
const meta = (name: string): string => all('meta[' + name + ' i]').map((element) => read(element, 'content') ?? '')[0]?.trim() ?? '';

const lengthOf = (text: string): number => [...text].length;

/** The page's diagnostics; nothing for pages that are none: error pages, walls of consent. */
const diagnose = (): Record<string, unknown> | undefined => {
  const title = document.title.trim();
  if (!title && document.body.innerText.split(/\s+/, 21).length < 20) return;
  const description = meta('name=description');
  const levels = all('h1,h2,h3,h4,h5,h6').map((heading) => +heading.localName[1]!);
  const h1 = levels.filter((level) => level == 1).length;
  const missing = (all('img') as HTMLImageElement[]).filter(
    (image) => image.width > 2 && image.height > 2 && !image.closest('[alt],[aria-hidden=true],[role=presentation],[role=none],[data-identity-ignore]'),
  ).length;
  const canonicals = all('link[rel~=canonical i][href]').length;
  // By the alphabet, as they are sent.
  const checks: { [code: string]: unknown } = {
    images_missing_alt: missing,
    invalid_structured_data: all('script[type="application/ld+json"]').some((script) => attempt(() => JSON.parse(script.textContent!)) === undefined),
    meta_description_too_long: lengthOf(description) > 160,
    meta_description_too_short: description && lengthOf(description) < 50,
    missing_canonical: !canonicals,
    missing_h1: !h1,
    missing_lang: !read(document.documentElement, 'lang'),
    missing_meta_description: !description,
    missing_open_graph: !meta('property="og:title"') || !meta('property="og:image"'),
    missing_title: !title,
    missing_viewport: !meta('name=viewport'),
    multiple_canonical: canonicals > 1,
    multiple_h1: h1 > 1,
    noindex: /noindex|none/i.test(meta('name=robots')),
    skipped_heading_level: levels.some((level, index) => level > levels[index - 1]! + 1),
    title_too_long: lengthOf(title) > 60,
    title_too_short: title && lengthOf(title) < 10,
  };
  return {
    title: titleOf(title),
    title_length: lengthOf(title),
    meta_description_length: lengthOf(description),
    h1_count: h1,
    images_missing_alt: missing,
    issues: Object.keys(checks).filter((code) => checks[code]),
  };
};

export const seo = (): void => {
  onView(() => {
    const url = here();
    const key = hash32(url).toString(36);
    if (session().q.includes(key)) return;
    const began = Date.now();
    let timer: number;
    const look = (): void => {
      observer.disconnect();
      const facts = url == here() && diagnose();
      if (facts && detect('seo_diagnostics', facts)) change((session) => (session.q = [...session.q, key].slice(-MAX_PAGES)));
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = later(() => {
        if (document.readyState != 'complete' && Date.now() - began < MAX_WAIT) wait();
        else idle(guard(look));
      }, QUIET);
    };
    // Routes are rendered after their address has changed.
    const observer = new MutationObserver(() => {
      if (Date.now() - began < MAX_WAIT) wait();
    });
    observer.observe(document.querySelector('main') ?? document.documentElement, { childList: true, subtree: true });
    wait();
  });
};
