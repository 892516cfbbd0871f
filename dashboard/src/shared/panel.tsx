import type { ComponentChildren } from 'preact';

interface Props {
  title: string;
  /** Beside the title. */
  actions?: ComponentChildren;
  /** What the figures are of, in a line. */
  note?: ComponentChildren;
  class?: string;
  isBusy?: boolean;
  children: ComponentChildren;
}

/** A part of a page with its title. */
export const Panel = ({ title, actions, note, class: name = '', isBusy = false, children }: Props) => (
  <section class={`panel ${name}`} aria-busy={isBusy}>
    <header class="panel-head">
      <h2>{title}</h2>
      {actions && <div class="panel-actions">{actions}</div>}
    </header>
    {note && <p class="note">{note}</p>}
    {children}
  </section>
);
