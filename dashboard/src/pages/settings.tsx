// For admins: the projects, and who may see them.

import { useState } from 'preact/hooks';
import * as manage from '../api/manage';
import { useView } from '../context';
import * as format from '../format';
import { useAction } from '../shared/action';
import { useAnswer } from '../shared/answer';
import { Confirm } from '../shared/confirm';
import { Copyable } from '../shared/copy';
import { Panel } from '../shared/panel';
import { Answered, Empty, Problem } from '../shared/states';
import { Table, type Column } from '../shared/table';
import { settings as texts } from '../texts';

const linesOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);

interface ProjectFormProps {
  /** None: a new one. */
  project: manage.Project | undefined;
  onDone: () => void;
  onCancel: () => void;
}

const ProjectForm = ({ project, onDone, onCancel }: ProjectFormProps) => {
  const [id, setId] = useState(project?.id ?? '');
  const [name, setName] = useState(project?.name ?? '');
  const [hosts, setHosts] = useState(project?.hosts.join('\n') ?? '');
  const [origins, setOrigins] = useState(project?.origins.join('\n') ?? '');
  const { isBusy, failure, run } = useAction();
  const save = async () => {
    const values = { name: name.trim(), hosts: linesOf(hosts), origins: linesOf(origins) };
    const isSaved = await run(async () => {
      if (project) await manage.changeProject(project.id, values);
      else await manage.makeProject({ id: id.trim(), ...values });
    });
    if (isSaved) onDone();
  };
  return (
    <form
      class="filters form"
      aria-label={project ? texts.editWhat(project.name) : texts.add}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {!project && (
        <label>
          <span>{texts.id}</span>
          <input required pattern="[A-Za-z0-9_\-]+" maxLength={128} value={id} placeholder={texts.idHint} onInput={(event) => setId(event.currentTarget.value)} />
        </label>
      )}
      <label>
        <span>{texts.name}</span>
        <input required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        <span>{texts.hosts}</span>
        <textarea rows={3} value={hosts} onInput={(event) => setHosts(event.currentTarget.value)} />
        <span class="note">{texts.hostsHint}</span>
      </label>
      <label>
        <span>{texts.origins}</span>
        <textarea rows={3} value={origins} onInput={(event) => setOrigins(event.currentTarget.value)} />
        <span class="note">{texts.originsHint}</span>
      </label>
      <span class="row-actions">
        <button type="submit" class="primary" disabled={isBusy}>
          {texts.save}
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {texts.cancel}
        </button>
      </span>
      {failure && <Problem failure={failure} />}
    </form>
  );
};

const Projects = () => {
  const { me, refreshMe } = useView();
  const projects = useAnswer('projects', manage.projects);
  const [edited, setEdited] = useState<manage.Project | 'new' | undefined>();
  const done = () => {
    setEdited(undefined);
    projects.again();
    refreshMe();
  };
  const columns: Column<manage.Project>[] = [
    { head: texts.name, value: ({ name }) => name },
    { head: texts.id, value: ({ id }) => id, show: ({ id }) => <code>{id}</code> },
    { head: texts.hosts, value: ({ hosts }) => hosts.join(', ') || null },
    { head: texts.origins, value: ({ origins }) => origins.join(', ') || texts.any },
    { head: texts.created, value: ({ created_at }) => created_at, show: ({ created_at }) => format.date(created_at) },
    {
      head: texts.actions,
      value: () => null,
      show: (project) => (
        <button type="button" class="quiet" aria-label={texts.editWhat(project.name)} onClick={() => setEdited(project)}>
          {texts.edit}
        </button>
      ),
    },
  ];
  return (
    <Panel
      title={texts.projects}
      note={texts.projectsNote}
      actions={
        // Whoever sees some projects alone would not see the new one.
        !me?.projects && (
          <button type="button" onClick={() => setEdited('new')}>
            {texts.add}
          </button>
        )
      }
    >
      {edited && <ProjectForm key={edited === 'new' ? 'new' : edited.id} project={edited === 'new' ? undefined : edited} onDone={done} onCancel={() => setEdited(undefined)} />}
      <Answered answer={projects} rows={3}>
        {(rows) => <Table caption={texts.projects} columns={columns} rows={rows} />}
      </Answered>
    </Panel>
  );
};

const Invite = ({ me, onInvited }: { me: manage.Me; onInvited: (invitation: manage.Invitation) => void }) => {
  const mayAll = !me.projects;
  const [label, setLabel] = useState('');
  const [role, setRole] = useState<manage.Role>('viewer');
  const [access, setAccess] = useState(mayAll ? '' : (me.visible_projects[0]?.id ?? ''));
  const { isBusy, failure, run } = useAction();
  const submit = async () => {
    const isMade = await run(async () => onInvited(await manage.invite({ label: label.trim(), role, projects: access ? [access] : null })));
    if (isMade) setLabel('');
  };
  return (
    <form
      class="filters"
      aria-label={texts.invite}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label>
        <span>{texts.person}</span>
        <input required maxLength={64} value={label} onInput={(event) => setLabel(event.currentTarget.value)} />
      </label>
      <label>
        <span>{texts.role}</span>
        <select value={role} onChange={(event) => setRole(event.currentTarget.value as manage.Role)}>
          <option value="viewer">{texts.roles.viewer}</option>
          <option value="admin">{texts.roles.admin}</option>
        </select>
      </label>
      <label>
        <span>{texts.access}</span>
        <select value={access} onChange={(event) => setAccess(event.currentTarget.value)}>
          {mayAll && <option value="">{texts.allProjects}</option>}
          {me.visible_projects.map(({ id, name }) => (
            <option key={id} value={id}>
              {name || id}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={isBusy}>
        {texts.makeLink}
      </button>
      {failure && <Problem failure={failure} />}
    </form>
  );
};

const People = () => {
  const { me } = useView();
  const people = useAnswer('people', manage.people);
  const [invited, setInvited] = useState<manage.Invitation | undefined>();
  const { failure, run } = useAction();
  const remove = (id: string) =>
    void run(async () => {
      await manage.removePerson(id);
      people.again();
    });
  const columns: Column<manage.KnownPerson>[] = [
    { head: texts.person, value: ({ label }) => label, show: ({ label, id }) => (id === me?.id ? `${label} (${texts.you})` : label) },
    { head: texts.role, value: ({ role }) => texts.roles[role] ?? role },
    { head: texts.access, value: (person) => person.projects?.join(', ') ?? texts.allProjects },
    { head: texts.lastSeen, value: ({ last_seen_at }) => last_seen_at, show: ({ last_seen_at }) => (last_seen_at ? format.ago(last_seen_at, Date.now()) : texts.never) },
    {
      head: texts.actions,
      value: () => null,
      show: ({ id, label }) =>
        id === me?.id ? format.text(null) : <Confirm text={texts.remove} label={texts.removeWhat(label)} question={texts.removeAsk(label)} isDangerous onYes={() => remove(id)} />,
    },
  ];
  return (
    <Panel title={texts.people} note={texts.peopleNote}>
      {invited && (
        <div class="made" role="status">
          <h3>{texts.link}</h3>
          <p>{texts.linkNote(invited.label)}</p>
          <Copyable what={texts.link} text={invited.link} />
          <button type="button" onClick={() => setInvited(undefined)}>
            {texts.done}
          </button>
        </div>
      )}
      {me && <Invite me={me} onInvited={setInvited} />}
      {failure && <Problem failure={failure} />}
      <Answered answer={people} rows={3}>
        {(rows) => (rows.length ? <Table caption={texts.people} columns={columns} rows={rows} /> : <Empty title={texts.noPeople} />)}
      </Answered>
    </Panel>
  );
};

export const Settings = () => (
  <>
    <Projects />
    <People />
  </>
);
