// The project that was shown last, so that its figures can be asked for before it is known who is signed in.

const KEY = 'identity-project';

export const rememberedProject = (): string | undefined => {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
};

export const rememberProject = (id: string): void => {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // The next visit then starts with the first project.
  }
};
