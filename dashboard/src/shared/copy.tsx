import { useState } from 'preact/hooks';
import { api as texts } from '../texts';
import { Icon } from './icons';

const SHOWN = 2000;

/** A text to take along, with a button that copies it. */
export const Copyable = ({ what, text, shown = text }: { what: string; text: string; shown?: string }) => {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without leave it can still be marked and copied by hand.
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN);
  };
  return (
    <div class="copyable">
      <pre class="code" tabIndex={0} aria-label={what}>
        {shown}
      </pre>
      <button type="button" class="quiet" onClick={() => void copy()} aria-label={texts.copyWhat(what)}>
        <Icon name="copy" /> <span role="status">{isCopied ? texts.copied : texts.copy}</span>
      </button>
    </div>
  );
};
