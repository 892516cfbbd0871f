import { useEffect, useState } from 'preact/hooks';
import { go, hrefWith } from '../address';
import { useView } from '../context';
import * as format from '../format';
import { DEFAULT_PRESET, PRESETS, isDay, toDay, type Preset } from '../range';
import { range as texts } from '../texts';

const OwnDays = ({ from, to, onDone }: { from: string; to: string; onDone: () => void }) => {
  const [first, setFirst] = useState(from);
  const [last, setLast] = useState(to);
  const isRight = isDay(first) && isDay(last) && first <= last;
  return (
    <form
      class="own-days"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isRight) return;
        onDone();
        go(hrefWith({ range: undefined, from: first, to: last }));
      }}
    >
      <label>
        {texts.from} <input type="date" required value={first} max={toDay(Date.now())} onInput={(event) => setFirst(event.currentTarget.value)} />
      </label>
      <label>
        {texts.to} <input type="date" required value={last} onInput={(event) => setLast(event.currentTarget.value)} />
      </label>
      <button type="submit" disabled={!isRight}>
        {texts.show}
      </button>
      {first > last && <p role="alert">{texts.wrong}</p>}
    </form>
  );
};

export const RangePicker = ({ preset }: { preset: Preset | undefined }) => {
  const { project, range } = useView();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [project, range.from, range.to]);
  return (
    <div class="range" onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}>
      <p class="range-days">{format.dayRange(range.from, range.to)}</p>
      <nav class="segments" aria-label={texts.label}>
        {PRESETS.map((name) => (
          <a key={name} href={hrefWith({ range: name === DEFAULT_PRESET ? undefined : name, from: undefined, to: undefined })} aria-current={name === preset ? 'true' : undefined}>
            {texts.presets[name]}
          </a>
        ))}
        <button type="button" aria-expanded={isOpen} class={preset ? '' : 'is-current'} onClick={() => setOpen(!isOpen)}>
          {texts.own}
        </button>
      </nav>
      {isOpen && <OwnDays key={`${range.from} ${range.to}`} from={range.from} to={range.to} onDone={() => setOpen(false)} />}
    </div>
  );
};
