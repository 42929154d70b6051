import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

/** Types every GraphQL literal from the committed schema. A component exports the
 * fragment it reads; pages spread the fragments into their query. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { Time: string; Duration: string; TimeOfDay: string; Bytes: number };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
