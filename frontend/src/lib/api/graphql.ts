import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

/** Types every GraphQL literal from the committed schema. A fragment stands
 * beside the component that reads it and is spread by whoever asks. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { Time: string; Duration: string; TimeOfDay: string; Bytes: number };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
