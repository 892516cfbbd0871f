import assert from 'node:assert/strict';
import { test } from 'node:test';
// @ts-expect-error The build's tools are plain JavaScript.
import { loosen, read, write } from '../../tools/program.mjs';

/** Patterns with defaults, shorthand, scopes within scopes, and properties of its own: `h` and `k`. */
const code = `(()=>{var a=[],s=2,b=({c:t,d:e=s},...n)=>{let r={t,e,get k(){return t}};for(let t of n)r[t]=e=>t+e;for(let t in n){let e=t;r.h=e}try{throw s}catch(t){r.x=t}return a.push(r.h,r.k,r.x,r.t,r.e),r},
f=[..."xy"].map((t,e)=>t+e+s),g=t=>{let[e,{length:n}]=[t,f],{c:r=e}=b?{c:e+n}:{};return b({c:r,d:void 0},...f)};globalThis.heard=[g(5).x02(7),b({c:1,d:2}),...a].map(String).join()})();\n`;

const run = (text: string): string => {
  (0, eval)(text);
  return (globalThis as unknown as { heard: string }).heard;
};

test('a script does the same with its functions in another order and other names', () => {
  const heard = run(code);
  assert.match(heard, /^x027,/);
  const program = read({ code, properties: ['h', 'k'] });
  assert.equal(run(write(program)), heard);
  loosen(program);
  const free = program.pieces.filter(({ isFree }: { isFree: boolean }) => isFree);
  assert.ok(free.length >= 2);
  program.pieces.splice(0, free.length, ...free.reverse());
  program.variables.forEach((variable: { name: string }, index: number) => (variable.name = `v${index}`));
  const changed = write(program);
  assert.match(changed, /get v\d+\(\)/);
  assert.equal(run(changed), heard);
});
