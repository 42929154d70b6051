import type { TadaDocumentNode } from 'gql.tada';
import { graphql } from './graphql';
import { ApiError, request } from './request';

const reachQuery = graphql(`
  query Reach {
    __typename
  }
`);

/** Milliseconds to wait for the answer to a query that the server answers at once. */
const reachTimeout = 5_000;
/** Milliseconds after which the answer to a mutation counts as lost. Without a limit a dialog
 * waits for minutes when the network drops packets. */
const mutationTimeout = 60_000;

/** Whether the API answers now. */
export async function reachable(): Promise<boolean> {
  try {
    await request(reachQuery, {}, AbortSignal.timeout(reachTimeout));
    return true;
  } catch (error) {
    return error instanceof ApiError && error.code !== 'OFFLINE';
  }
}

/** Sends a mutation. If the API does not answer, the error says whether a change is possible:
 * nothing is sent on a lost connection before the server has answered a query. */
export async function change<Data, Variables>(
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
  lost: boolean,
): Promise<Data> {
  if (lost && !(await reachable()))
    throw new ApiError(
      'The server cannot be reached; nothing was changed. Try again when the connection is back.',
      'OFFLINE',
    );
  const limit = AbortSignal.timeout(mutationTimeout);
  try {
    return await request(document, variables, limit);
  } catch (error) {
    if (!limit.aborted && !(error instanceof ApiError && error.code === 'OFFLINE')) throw error;
    throw new ApiError(
      'The server did not answer. It is not known whether the change was made: look before you try again.',
      'UNKNOWN',
    );
  }
}

export const isMutation = ({ definitions }: TadaDocumentNode<unknown, never>): boolean =>
  definitions.some((one) => one.kind === 'OperationDefinition' && one.operation === 'mutation');
