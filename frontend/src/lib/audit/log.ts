import { FollowedLog } from '$lib/api/followed-log.svelte';
import { graphql, type VariablesOf } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import { auditFragment, type Audit } from './entry';

const pageQuery = graphql(
  `
    query Audits($filter: AuditFilter, $after: String) {
      audits(filter: $filter, first: 50, after: $after) {
        nodes {
          ...AuditEntry
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [auditFragment],
);

const addedDocument = graphql(
  `
    subscription AuditLog($filter: AuditFilter) {
      auditAdded(filter: $filter) {
        snapshot
        audits {
          ...AuditEntry
        }
      }
    }
  `,
  [auditFragment],
);

export type AuditFilter = NonNullable<VariablesOf<typeof pageQuery>['filter']>;

/** The live audit log. Create it during component initialisation. */
export const auditLog = (filter: () => AuditFilter) =>
  new FollowedLog<Audit, AuditFilter>(filter, {
    read: async (filter, after, signal) => (await session.ask(pageQuery, { filter, after }, signal)).audits,
    follow: (filter, report) =>
      session.connection.subscribe(addedDocument, { filter }, ({ auditAdded: { snapshot, audits } }) =>
        report(audits, snapshot),
      ),
  });
