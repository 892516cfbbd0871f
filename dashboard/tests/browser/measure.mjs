// What it costs to open the Overview: with no cache, from asking for the page until all its figures are shown.

import { newContext, settle } from './browser.mjs';

/** `state` is what the browser has kept: the cookie, and perhaps which project was shown last. */
export const measureOpening = async (browser, target, state, listen = () => {}) => {
  const context = await newContext(browser, { storageState: state });
  const page = await context.newPage();
  listen(page);
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.setCacheDisabled', { cacheDisabled: true });
  const urls = new Map();
  const bytes = { page: 0, answers: 0 };
  const isAnswer = (url) => /\/(api|manage)\/v1\//.test(url);
  client.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => (bytes[isAnswer(urls.get(requestId) ?? '') ? 'answers' : 'page'] += encodedDataLength));
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) window.shifts.push([value, sources.map(({ node }) => node?.className ?? node?.nodeName).join()]);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(`${target.origin}/`, { waitUntil: 'commit' });
  const isComplete = () =>
    document.querySelector('[data-figure=total_visitors] .figure-value')?.innerText.length > 1 &&
    document.querySelector('.short-list table') &&
    !document.querySelector('.loading, [aria-busy=true]') &&
    performance.now();
  const milliseconds = await (await page.waitForFunction(isComplete, undefined, { polling: 'raf' })).jsonValue();
  await settle(page);
  const shifts = await page.evaluate(() => new Promise((resolve) => setTimeout(() => resolve(window.shifts), 200)));
  await context.close();
  return { milliseconds, shifts, bytes, requests, asked: requests.filter((url) => url.includes('/api/v1/')) };
};

export const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];
