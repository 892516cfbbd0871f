// Clicks on one control in quick succession, and what happened since the first was pressed.

import type { Facts } from '../elements';

export interface Chain {
  control_: Element;
  target_: Element;
  /** The instants of clicks, and the last one of any press or release. */
  clicks_: number[];
  last_: number;
  /** When the last release was heard of, which a busy page does late; 0 before the first. */
  heardAt_: number;
  /** Instants of answers. */
  answers_: number[];
  /** Changes of attributes inside the control that may not last, and when the last was. */
  effects_: MutationRecord[];
  effectAt_: number;
  /** Where a click may well do nothing that can be seen. */
  isExempt_: unknown;
  /** A link within the page: going there changes the address, and nothing else. */
  isAnchor_: unknown;
  /** Has it judged a second after the last click. */
  judgeSoon_: () => void;
  hasScrolled_?: unknown;
  /** What says of each `click` whether something is to be expected of it. */
  wants_: (() => unknown)[];
  facts_: Facts;
  url_: string;
  href_: string;
  at_: number;
  x_: number;
  y_: number;
}
