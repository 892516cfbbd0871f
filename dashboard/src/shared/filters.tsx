import { useState } from 'preact/hooks';
import { go, hrefWith } from '../address';
import { filters as texts } from '../texts';
import { Icon } from './icons';

export interface Field {
  /** The parameter of the address. */
  name: string;
  label: string;
  hint?: string;
}

/** Fields that narrow a list. What was typed gets into the address when it is sent. */
const Form = ({ fields, params }: { fields: Field[]; params: Record<string, string> }) => {
  const [values, setValues] = useState(() => Object.fromEntries(fields.map(({ name }) => [name, params[name] ?? ''])));
  const isFiltered = fields.some(({ name }) => params[name]);
  return (
    <form
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go(hrefWith(Object.fromEntries(fields.map(({ name }) => [name, values[name]?.trim()]))));
      }}
    >
      {fields.map(({ name, label, hint }) => (
        <label key={name}>
          <span>{label}</span>
          <input type="search" name={name} value={values[name]} placeholder={hint} onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })} />
        </label>
      ))}
      <button type="submit">
        <Icon name="search" /> {texts.apply}
      </button>
      {isFiltered && (
        <a class="clear" href={hrefWith(Object.fromEntries(fields.map(({ name }) => [name, undefined])))}>
          <Icon name="close" /> {texts.clear}
        </a>
      )}
    </form>
  );
};

/** Begun anew where the address changes, as by the back button. */
export const Filters = ({ fields, params }: { fields: Field[]; params: Record<string, string> }) => (
  <Form key={fields.map(({ name }) => params[name] ?? '').join('\0')} fields={fields} params={params} />
);
