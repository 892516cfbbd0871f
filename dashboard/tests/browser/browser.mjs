// The browser that the tests run in: an installed Chromium, never a downloaded one.

import { existsSync } from 'node:fs';
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
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
};

export const newContext = async (browser, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  return context;
};

/** Waits until nothing is on its way and nothing says so. */
export const settle = async (tab) => {
  await tab.waitForFunction(() => document.querySelector('main') && !document.querySelector('.loading, [aria-busy=true]'));
  await tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
};

/** Goes to an address of the page, as a link would. */
export const visit = async (tab, target, hash) => {
  const url = `${target.origin}/${hash}`;
  if (tab.url().startsWith(target.origin)) await tab.evaluate((to) => (location.hash = to), hash);
  else await tab.goto(url);
  // The page whose code is fetched first shows nothing yet.
  await tab.waitForFunction(() => document.querySelector('main .panel, main .state'));
  await settle(tab);
};

/** A tab of somebody who has just followed a sign-in link. */
export const signIn = async (browser, target, { role = 'admin', label = 'ana', projects = null, ...options } = {}) => {
  const context = await newContext(browser, options);
  const tab = await context.newPage();
  await tab.goto(await target.link({ label, role, projects }));
  await tab.waitForURL((url) => !url.hash.includes('sign-in'));
  await tab.waitForFunction(() => document.querySelector('main .panel'));
  await settle(tab);
  return { context, tab };
};

export const PAGES = [
  '',
  'live',
  'visitors',
  'sessions',
  'frustration',
  'pages',
  'pages?tab=reading',
  'pages?tab=seo',
  'journeys',
  'forms',
  'acquisition',
  'audience',
  'speed',
  'api',
  'settings',
];
