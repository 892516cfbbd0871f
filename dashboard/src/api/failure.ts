// What went wrong, in a form that a page can tell its reader.

export class Failure extends Error {
  constructor(
    /** 0 where no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds until it is worth to ask again. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }
}

const DEFAULT_WAIT = 5;

export const failureOf = (response: Response, body: unknown): Failure => {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  const seconds = Number(response.headers.get('Retry-After'));
  const wait = response.status === 429 ? seconds || DEFAULT_WAIT : seconds || undefined;
  return new Failure(response.status, String(error?.code ?? ''), String(error?.message ?? ''), wait);
};

/** Fetches, and says it in the same way where nothing answers. */
export const reach = async (request: Request): Promise<Response> => {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Failure(0, 'unreachable', '', undefined);
  }
};
