import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';

/** What the API answered instead of data. `code` is ErrorCode of the schema, or
 * OFFLINE when no answer came at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** Why the API rejected a mutation. */
export interface UserError {
  /** Path in the mutation's input, such as "policy.waves[0].share"; null for the whole. */
  field: string | null;
  message: string;
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Asks the API once, with the session of this browser. */
export async function request<Data, Variables>(
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const answer = await post<Data>(JSON.stringify({ query: print(document), variables }), signal);
  const failure = answer.errors?.[0];
  if (failure) throw new ApiError(failure.message, failure.extensions?.code ?? 'INTERNAL');
  if (!answer.data) throw new ApiError('The server sent no data.', 'INTERNAL');
  return answer.data;
}

async function post<Data>(body: string, signal?: AbortSignal): Promise<Answer<Data>> {
  let response: Response;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The server cannot be reached.', 'OFFLINE');
  }
  if (response.status === 401) throw new ApiError('Sign in first.', 'UNAUTHENTICATED');
  try {
    return (await response.json()) as Answer<Data>;
  } catch {
    throw new ApiError(`The server answered ${response.status} ${response.statusText}.`, 'UNAVAILABLE');
  }
}
