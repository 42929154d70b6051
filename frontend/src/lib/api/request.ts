import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';

/** A failed request. `code` is the schema's ErrorCode, OFFLINE if the API did not answer, or
 * UNKNOWN if that leaves open whether a change was made. */
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
  /** The schema's ErrorCode, where the mutation asks for it. */
  code?: string;
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Sends one GraphQL request with the session of this browser. Throws ApiError. */
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
    throw unreachable();
  }
  if (response.status === 401) throw new ApiError('Sign in first.', 'UNAUTHENTICATED');
  try {
    return (await response.json()) as Answer<Data>;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (response.ok) throw unreachable(); // the connection ended within the answer
    const message = `The server answered ${response.status} ${response.statusText}.`;
    // A proxy answers 5xx while the server behind it is away.
    throw new ApiError(message, response.status >= 500 ? 'OFFLINE' : 'UNAVAILABLE');
  }
}

const unreachable = () =>
  new ApiError('Could not reach the server. Check the connection and try again.', 'OFFLINE');
