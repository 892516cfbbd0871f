import { useRef, useState } from 'preact/hooks';
import { api as texts } from '../texts';
import { Icon } from './icons';

const SHOWN = 2000;

/** A text to take along, with a button that copies it. */
export const Copyable = ({ what, text }: { what: string; text: string }) => {
  const shown = useRef<HTMLPreElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain HTTP there is no clipboard, but there is still what is marked.
      if (shown.current) getSelection()?.selectAllChildren(shown.current);
      if (!document.execCommand('copy')) return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN);
  };
  return (
    <div class="copyable">
      <pre class="code" ref={shown} tabIndex={0} aria-label={what}>
        {text}
      </pre>
      <button type="button" class="quiet" onClick={() => void copy()} aria-label={texts.copyWhat(what)}>
        <Icon name="copy" /> <span role="status">{isCopied ? texts.copied : texts.copy}</span>
      </button>
    </div>
  );
};
