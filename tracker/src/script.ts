// The script of a page's tag: it views pages and hears errors from the first moment, and fetches the rest once the page is idle.

import { auto } from './auto';
import { first } from './detectors/first';
import { start } from './detectors/start';
import { fetchMore } from './more';

auto((early, script) => {
  start(first, early);
  fetchMore(script);
});
