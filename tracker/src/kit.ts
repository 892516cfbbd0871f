// What detectors are made of. The first script has all of this, and hands it to the second one, which knows no other part of it:
// so nothing in here may change, but for what its functions know.

export { closest, hostOf, ignored, read, targetOf } from './dom';
export { describe, wasThrown } from './detectors/errors';
export { errorFacts, framesOf, messageOf, placeOf } from './detectors/stack';
export { type Entry, observe } from './entries';
export { detect } from './events';
export { here } from './address';
export { attempt, guard, idle, later, now, on } from './guard';
export { ABANDON, DEAD, RAGE, change, changeSoon, count, session } from './identity';
export { hear } from './input';
export { leaveFor } from './navigation';
export { type Add, DOCUMENT_LEFT, finishers, onView, quota } from './pages';
export { hash32 } from './random';
export { isOn } from './settings';
export { start } from './detectors/start';
export { scrub, titleOf } from './text';
export { lastKnown, packers, ping } from './transport';
