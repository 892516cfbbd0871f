import { useState } from 'preact/hooks';
import type { Project } from '../api/manage';
import { go, hrefTo } from '../address';
import { useView } from '../context';
import { shell as texts } from '../texts';

/** Goes to the same page of another project. What is selected there is of the old one, and left. */
const openProject = (id: string): void => go(hrefTo([], { project: id }));

/** For those who may see all projects but not list them. */
const ByName = ({ current }: { current: string }) => {
  const [name, setName] = useState(current);
  return (
    <form
      class="project-switch"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) openProject(name.trim());
      }}
    >
      <label>
        <span>{texts.project}</span>
        <input value={name} aria-label={texts.projectName} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <button type="submit">{texts.open}</button>
    </form>
  );
};

export const ProjectSwitch = ({ projects }: { projects: Project[] | undefined }) => {
  const { project, me } = useView();
  const listed = projects?.map(({ id, name }) => ({ id, name })) ?? me?.projects?.map((id) => ({ id, name: id }));
  if (!listed && me?.role === 'viewer') return <ByName key={project} current={project} />;
  const choices = listed?.some(({ id }) => id === project) || !project ? (listed ?? []) : [{ id: project, name: project }, ...(listed ?? [])];
  return (
    <label class="project-switch">
      <span>{texts.project}</span>
      <select value={project} onChange={(event) => openProject(event.currentTarget.value)}>
        {choices.map(({ id, name }) => (
          <option key={id} value={id}>
            {name || id}
          </option>
        ))}
      </select>
    </label>
  );
};
