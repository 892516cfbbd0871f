/** A share as a bar, of 0 to 1. The figure beside it says the same. */
export const Bar = ({ part }: { part: number }) => (
  <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <rect width={Math.max(0, Math.min(1, part)) * 100} height="1" />
  </svg>
);
