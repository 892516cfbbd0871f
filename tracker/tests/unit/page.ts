// As much of a browser as the units ask for: an address, storage and a clock.

export const settings: { [name: string]: unknown } = { key: 'pk_live_00000000000000000000000000000000', endpoint: 'https://t.example/collect' };

class MemoryStorage {
  private readonly entries = new Map<string, string>();
  getItem(name: string): string | null {
    return this.entries.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.entries.set(name, value);
  }
  removeItem(name: string): void {
    this.entries.delete(name);
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
  define('outerWidth', 1280);
  define('outerHeight', 720);
};
