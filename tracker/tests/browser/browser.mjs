// The browser that the scenarios run in: an installed Chromium, never a downloaded one.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const launch = async () => {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath) {
    console.error('There is no Chromium here. On Debian: apt-get install --no-install-recommends chromium; elsewhere set CHROMIUM to its path.');
    process.exit(2);
  }
  return chromium.launch({
    executablePath,
    headless: true,
    // Without this there is no back/forward cache.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Else the tracker takes it for what it is: a program's.
      '--disable-blink-features=AutomationControlled',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
};

export const newContext = async (browser, options = {}) => {
  const agent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version().split('.')[0]}.0.0.0 Safari/537.36`;
  const context = await browser.newContext({ userAgent: agent, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  return context;
};

/** Opens a page, and waits until the second script watches it as well, if the page fetches it. */
export const open = async (tab, url) => {
  const answered = tab.waitForResponse(/-more\.js$/, { timeout: 3000 }).catch(() => {});
  await tab.goto(url, { waitUntil: 'load' });
  await tab.waitForFunction(() => window.identity?.version || !document.querySelector('script[data-key]'), undefined, { polling: 20 }).catch(() => {});
  if (!(await tab.evaluate(() => document.querySelector('script[src$="/identity.js"]') && window.identity?.sessionId))) return;
  // It is run right after it has come; one that is refused never ends.
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.race([(await answered)?.finished(), sleep(1000)]);
  await sleep(30);
};

/** Lets a page be hidden and shown, and lose the focus: a headless page is always visible. */
export const emulateVisibility = (context, initial = 'visible') =>
  context.addInitScript((initial) => {
    let state = initial;
    let isFocused = initial === 'visible';
    Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state, configurable: true });
    Object.defineProperty(Document.prototype, 'hidden', { get: () => state === 'hidden', configurable: true });
    Document.prototype.hasFocus = () => isFocused;
    const original = performance.getEntriesByType;
    performance.getEntriesByType = function (type) {
      return type === 'visibility-state' ? [{ name: initial, startTime: 0 }] : original.call(this, type);
    };
    Object.defineProperty(window, 'emulate', {
      value: {
        visibility(value) {
          state = value;
          isFocused = value === 'visible';
          document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
        },
        focus(value) {
          isFocused = value;
          window.dispatchEvent(new Event(value ? 'focus' : 'blur'));
        },
      },
    });
  }, initial);
