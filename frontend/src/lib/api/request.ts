import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';

/** A failed request. `code` is the schema's ErrorCode, or OFFLINE if the server
 * could not be reached. */
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
    throw new ApiError('Could not reach the server. Check the connection and try again.', 'OFFLINE');
  }
  if (response.status === 401) throw new ApiError('Sign in first.', 'UNAUTHENTICATED');
  try {
    return (await response.json()) as Answer<Data>;
  } catch {
    throw new ApiError(`The server answered ${response.status} ${response.statusText}.`, 'UNAVAILABLE');
  }
}
