import type { ComponentChildren } from 'preact';
import { hrefTo } from '../address';
import { links } from '../texts';
import { Icon } from './icons';

interface Props {
  to: string[];
  params?: Record<string, string | undefined>;
  title?: string;
  children: ComponentChildren;
}

/** To another page, of the same project and days. */
export const Link = ({ to, params, title, children }: Props) => (
  <a href={hrefTo(to, params)} title={title}>
    {children}
  </a>
);

const isWeb = (url: string): boolean => {
  try {
    return ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
};

/** An address that a stranger sent: to be read, and to be opened only where it leads to the web. */
export const SiteUrl = ({ url }: { url: string | null | undefined }) => {
  if (!url) return <span class="unknown">{links.noUrl}</span>;
  return (
    <span class="site-url" title={url}>
      <span class="clip">{url}</span>
      {isWeb(url) && (
        <a class="open" href={url} target="_blank" rel="noopener noreferrer">
          <Icon name="external" />
          <span class="visually-hidden">{links.open(url)}</span>
        </a>
      )}
    </span>
  );
};
