// Says at the end how many tests passed, in the form that cargo's are counted in.

export default async function* (events) {
  const counts = { passed: 0, failed: 0, ignored: 0 };
  for await (const { type, data } of events) {
    if (!['test:pass', 'test:fail'].includes(type)) continue;
    // Of what holds tests, only what is wrong with itself counts, as with what comes before or after them.
    if (data.details.type === 'suite' && (type === 'test:pass' || data.details.error.failureType === 'subtestsFailed')) continue;
    counts[data.skip || data.todo ? 'ignored' : type === 'test:pass' ? 'passed' : 'failed']++;
  }
  const { passed, failed, ignored } = counts;
  yield `test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed; ${ignored} ignored\n`;
}
