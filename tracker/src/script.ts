// The script of a page's tag: it views pages and hears errors from the first moment, and fetches the rest once the page is idle.

import { run } from './api';
import { auto } from './auto';
import { first } from './detectors/first';
import { start } from './detectors/start';
import { attempt } from './guard';
import { fetchMore } from './more';

attempt(() =>
  auto((early, script) =>
    run((early) => {
      start(first, early);
      fetchMore(script);
    }, early),
  ),
);
