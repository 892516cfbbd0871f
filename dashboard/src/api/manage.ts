// Who is signed in, and what an admin may change.

import { Failure, failureOf, reach } from './failure';
import type { components } from './schema';

type Schemas = components['schemas'];
export type Person = Schemas['Person'];
export type Me = Schemas['Me'];
export type KnownPerson = Schemas['KnownPerson'];
export type Invitation = Schemas['Invitation'];
export type Key = Schemas['Key'];
/** Right after it was made, and never again. */
export type NewKey = Schemas['NewKey'];
export type Project = Schemas['Project'];
export type Role = Person['role'];
export type KeyKind = Key['kind'];

const call = async <Data>(method: string, path: string, signal?: AbortSignal, body?: unknown): Promise<Data> => {
  const request = new Request(`/manage/v1/${path}`, {
    method,
    signal: signal ?? null,
    // Asked for wherever something is changed, even where nothing is sent: a form of another site cannot have it.
    ...(method === 'GET' ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
  });
  const response = await reach(request);
  const answer: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw failureOf(response, answer);
  if (response.status !== 204 && answer === undefined) throw new Failure(response.status, 'unreadable', '', undefined);
  return (answer as { data: Data } | undefined)?.data as Data;
};

const at = encodeURIComponent;

export const signIn = (token: string) => call<Person>('POST', 'sign-in', undefined, { token });
export const signOut = () => call<void>('POST', 'sign-out');
export const me = (signal: AbortSignal) => call<Me>('GET', 'me', signal);

export const keys = (project: string, signal: AbortSignal) => call<Key[]>('GET', `keys?project=${at(project)}`, signal);
export const makeKey = (project: string, kind: KeyKind, label: string, rateLimit: number | undefined) =>
  call<NewKey>('POST', 'keys', undefined, { project, kind, ...(label ? { label } : {}), ...(rateLimit ? { rate_limit: rateLimit } : {}) });
export const rotateKey = (id: string) => call<NewKey>('POST', `keys/${at(id)}/rotate`);
export const revokeKey = (id: string) => call<void>('DELETE', `keys/${at(id)}`);

export const projects = (signal: AbortSignal) => call<Project[]>('GET', 'projects', signal);
export const makeProject = (project: { id: string; name: string; hosts: string[]; origins: string[] }) => call<Project>('POST', 'projects', undefined, project);
export const changeProject = (id: string, changes: { name: string; hosts: string[]; origins: string[] }) => call<Project>('PATCH', `projects/${at(id)}`, undefined, changes);

export const people = (signal: AbortSignal) => call<KnownPerson[]>('GET', 'people', signal);
export const invite = (invitation: { label: string; role: Role; projects: string[] | null }) => call<Invitation>('POST', 'people', undefined, invitation);
export const removePerson = (id: string) => call<void>('DELETE', `people/${at(id)}`);
