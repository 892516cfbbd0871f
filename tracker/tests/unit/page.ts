// As much of a browser as the units ask for: an address, storage and a clock.

export const settings: { [name: string]: unknown } = { key: 'pk_live_00000000000000000000000000000000', endpoint: 'https://t.example/collect' };

/** Entries are properties, as a browser's are. */
class MemoryStorage {
  [name: string]: unknown;
  getItem(name: string): string | null {
    return Object.hasOwn(this, name) ? (this[name] as string) : null;
  }
  setItem(name: string, value: string): void {
    this[name] = String(value);
  }
  removeItem(name: string): void {
    delete this[name];
  }
}

const define = (name: string, value: unknown): void => {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
};

export const goTo = (href: string): void => define('location', new URL(href));

export const install = (href = 'https://site.example/'): void => {
  goTo(href);
  define('window', globalThis);
  define('localStorage', new MemoryStorage());
  define('sessionStorage', new MemoryStorage());
  define('document', { referrer: '', title: 'Title', hidden: false });
  define('navigator', { language: 'en', languages: ['en'] });
  define('screen', { width: 1280.4, height: 720 });
  define('devicePixelRatio', 1);
  define('outerWidth', 1280);
  define('outerHeight', 720);
};
