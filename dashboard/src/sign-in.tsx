// The two pages of those who are not in: the link that lets in, and what to do without one.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { signIn } from './api/manage';
import { Failure } from './api/failure';
import { replace } from './address';
import { Icon } from './shared/icons';
import { product, signIn as texts, states } from './texts';

const Alone = ({ children }: { children: ComponentChildren }) => (
  <main class="alone" aria-live="polite">
    <p class="brand">
      <span>{product}</span>
    </p>
    {children}
  </main>
);

const Command = () => <pre class="code">{texts.command('ana')}</pre>;

export const SignedOut = () => {
  useEffect(() => {
    document.title = `${texts.title} – ${product}`;
  }, []);
  return (
    <Alone>
      <h1>{texts.out}</h1>
      <p>{texts.outAdvice}</p>
      <Command />
      <p class="note">{texts.devAdvice}</p>
    </Alone>
  );
};

export const SignIn = ({ token, onDone }: { token: string; onDone: () => void }) => {
  const [failure, setFailure] = useState<Failure | undefined>();
  const enter = () => {
    setFailure(undefined);
    signIn(token).then(
      () => {
        onDone();
        // Replaced, so that the back button never leads to a link that was used.
        replace('#/');
      },
      (error: unknown) => setFailure(error instanceof Failure ? error : new Failure(0, '', '', undefined)),
    );
  };
  useEffect(() => {
    document.title = `${texts.title} – ${product}`;
    enter();
  }, [token]);
  if (!failure) {
    return (
      <Alone>
        <h1>{texts.signingIn}</h1>
      </Alone>
    );
  }
  if (failure.status === 401) {
    return (
      <Alone>
        <h1>{texts.refused}</h1>
        <p>{texts.refusedAdvice}</p>
        <Command />
      </Alone>
    );
  }
  return (
    <Alone>
      <h1>
        <Icon name="warning" /> {texts.failed}
      </h1>
      <p>{states.failure(failure.status, failure.message).advice}</p>
      <button type="button" onClick={enter}>
        {texts.tryAgain}
      </button>
    </Alone>
  );
};
