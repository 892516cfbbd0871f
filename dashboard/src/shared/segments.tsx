import { hrefWith } from '../address';

interface Props<Name extends string> {
  label: string;
  /** The parameter of the address that holds the choice. */
  param: string;
  choices: { name: Name; text: string }[];
  current: Name;
}

/** One of a few, kept in the address. The first is the default, and needs no parameter. */
export const Segments = <Name extends string>({ label, param, choices, current }: Props<Name>) => (
  <nav class="segments" aria-label={label}>
    {choices.map(({ name, text }, index) => (
      <a key={name} href={hrefWith({ [param]: index ? name : undefined })} aria-current={name === current ? 'true' : undefined}>
        {text}
      </a>
    ))}
  </nav>
);

/** The one that the address names, or the first. */
export const chosenOf = <Name extends string>(names: readonly Name[], wanted: string | undefined): Name => names.find((name) => name === wanted) ?? (names[0] as Name);
