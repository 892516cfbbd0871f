import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api as texts } from '../texts';

interface Props {
  text: string;
  /** What it does to what. */
  label: string;
  question: string;
  isDangerous?: boolean;
  onYes: () => void;
}

/** A button for what cannot be taken back: it asks first, in its place. */
export const Confirm = ({ text, label, question, isDangerous = false, onYes }: Props) => {
  const [isAsking, setAsking] = useState(false);
  const wasAsking = useRef(false);
  const button = useRef<HTMLButtonElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    // The focus goes to the harmless answer, and back to where it came from.
    if (isAsking) cancel.current?.focus();
    else if (wasAsking.current) button.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <button type="button" ref={button} class={`quiet ${isDangerous ? 'is-dangerous' : ''}`} aria-label={label} onClick={() => setAsking(true)}>
        {text}
      </button>
    );
  }
  return (
    <span class="confirm" role="alertdialog" aria-label={question} onKeyDown={(event) => event.key === 'Escape' && setAsking(false)}>
      <span>{question}</span>
      <button
        type="button"
        class={isDangerous ? 'is-dangerous' : ''}
        onClick={() => {
          setAsking(false);
          onYes();
        }}
      >
        {texts.yes}
      </button>
      <button type="button" class="quiet" ref={cancel} onClick={() => setAsking(false)}>
        {texts.cancel}
      </button>
    </span>
  );
};
