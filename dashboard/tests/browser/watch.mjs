// What must never happen, whatever is shown.

import assert from 'node:assert/strict';

/** Chromium's own words for an answer that is an error. */
const FAILED_ANSWER = /Failed to load resource/;

/** Listens to a tab, and tells at the end what went wrong. `mayFail`: requests are meant to. */
export const watch = (tab, target, { mayFail = false } = {}) => {
  const problems = [];
  const requests = [];
  tab.on('dialog', async (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !(mayFail && FAILED_ANSWER.test(message.text()))) problems.push(`console: ${message.text()}`);
  });
  tab.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  tab.on('popup', (popup) => problems.push(`popup: ${popup.url()}`));
  tab.on('request', (request) => {
    requests.push(request);
    if (!request.url().startsWith(target.origin) && !request.url().startsWith('blob:')) problems.push(`request: ${request.url()}`);
  });
  return { problems, requests, assertQuiet: () => assert.deepEqual(problems, []) };
};
