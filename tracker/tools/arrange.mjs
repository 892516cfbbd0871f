// Searches for the order of a script's functions and the names of its variables that pack best, and writes them into
// arrangement.json, for `script` to take: node tools/arrange.mjs [TRIES]. Takes minutes; a change of src makes it stale, which
// costs bytes alone. The search is of chance, but the same for the same script and zlib; it goes on from what it found last.

import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { SCRIPTS, arrangement, digest, minified, programOf } from './bundle.mjs';
import { write } from './program.mjs';

const TRIES = Number(process.argv[2] ?? 260_000);
const LETTERS = [...'etnoraiscludfpmhgwvbykxjqzETNORAISCLUDFPMHGWVBYKXJQZ$_'];

const size = (program) => gzipSync(write(program), { level: 9 }).length;

/** Numbers from 0 to 1 that are always the same. */
const chance = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

/** Gives a variable another name, and its rivals of that name the old one; undoes it, or undefined if that can't be. */
const rename = (variable, name) => {
  const old = variable.name;
  if (name === old || variable.foreign.has(name)) return;
  const swapped = [...variable.rivals].filter((rival) => rival.name === name);
  const set = (first, second) => {
    variable.name = first;
    for (const rival of swapped) rival.name = second;
  };
  set(name, old);
  const undo = () => set(old, name);
  if ([variable, ...swapped].every((one) => [...one.rivals].every((rival) => rival.name !== one.name))) return undo;
  undo();
};

/** Moves a piece to another place among those that may stand anywhere. */
const move = ({ pieces }, random) => {
  const count = pieces.filter(({ isFree }) => isFree).length;
  const from = Math.floor(random() * count);
  const to = Math.floor(random() * count);
  pieces.splice(to, 0, ...pieces.splice(from, 1));
  return () => pieces.splice(from, 0, ...pieces.splice(to, 1));
};

const search = (program) => {
  const random = chance(size(program));
  const { variables } = program;
  const pick = (list) => list[Math.floor(random() * list.length)];
  let best = size(program);
  for (let tries = 0; tries < TRIES; tries++) {
    const variable = pick(variables);
    const name = variable.name.length === 1 ? LETTERS[Math.floor(random() * random() * LETTERS.length)] : pick(variables).name;
    const undo = random() < 0.4 ? move(program, random) : rename(variable, name);
    if (!undo) continue;
    const found = size(program);
    if (found > best) undo();
    else best = found;
  }
  return best;
};

const found = {};
for (const [name, entry] of Object.entries(SCRIPTS)) {
  const built = await minified(entry, 'iife');
  const { program } = programOf(name, built);
  const before = size(program);
  const after = search(program);
  console.log(`${name}: ${before} bytes become ${after}`);
  found[name] = {
    of: digest(built.code),
    order: program.pieces.map(({ index }) => index).join(' '),
    names: program.variables.map((variable) => variable.name).join(' '),
  };
}
writeFileSync(arrangement, `${JSON.stringify(found, undefined, 2)}\n`);
