import { go, hrefTo } from '../address';
import { useView } from '../context';
import { shell as texts } from '../texts';

/** Goes to the Overview of another project: what is selected on a page is of the old one. */
const openProject = (id: string): void => go(hrefTo([], { project: id }));

export const ProjectSwitch = () => {
  const { project, me } = useView();
  const visible = me?.visible_projects ?? [];
  const choices = !project || visible.some(({ id }) => id === project) ? visible : [{ id: project, name: project }, ...visible];
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
