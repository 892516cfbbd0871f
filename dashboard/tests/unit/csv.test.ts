import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsv } from '../../src/csv';

test('rows are as RFC 4180 has them', () => {
  assert.equal(
    toCsv([
      ['a', 'b'],
      [1, null],
      ['x,y', 'say "hi"'],
      ['two\nlines', 0.5],
    ]),
    'a,b\r\n1,\r\n"x,y","say ""hi"""\r\n"two\nlines",0.5\r\n',
  );
});

test('a stranger’s text is no formula, and a negative number stays one', () => {
  assert.equal(toCsv([['=1+1', '+1', '-1', '@x', '\tx']]), "'=1+1,'+1,'-1,'@x,'\tx\r\n");
  assert.equal(toCsv([[-1]]), '-1\r\n');
  assert.equal(toCsv([['=HYPERLINK("x")']]), `"'=HYPERLINK(""x"")"\r\n`);
});
