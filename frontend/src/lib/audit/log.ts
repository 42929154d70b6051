import { FollowedLog } from '$lib/api/followed-log.svelte';
import { graphql, type VariablesOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
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
      newest: audits(first: 1) {
        nodes {
          at
        }
      }
    }
  `,
  [auditFragment],
);

const addedQuery = graphql(
  `
    query AddedAudits($filter: AuditFilter, $after: String) {
      audits(filter: $filter, first: 50, after: $after, order: ASC) {
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

export type AuditFilter = NonNullable<VariablesOf<typeof pageQuery>['filter']>;

/** Milliseconds between two queries for added entries while the page is visible. */
const followEvery = 10_000;
/** Milliseconds before the newest entry from which added entries are read: an entry that is stored
 * a little later may precede it. */
const overlap = 10_000;

/** The audit log, followed by queries: changes are rare. Create it during component
 * initialisation. */
export function auditLog(filter: () => AuditFilter) {
  /** When the newest change was made, by the server's clock, also if it does not match. */
  let newest: string | null = null;
  return new FollowedLog<Audit, AuditFilter>(filter, {
    read: async (filter, after, signal) => {
      const page = await session.ask(pageQuery, { filter, after }, signal);
      if (after === null) newest = page.newest.nodes[0]?.at ?? null;
      return page.audits;
    },
    follow: (filter, report) => follow(since(filter, newest), report),
  });
}

/** Limits a filter to entries that may have been added after the newest known one. */
function since(filter: AuditFilter, newest: string | null): AuditFilter {
  if (newest === null) return filter;
  const begin = Math.max(Date.parse(newest) - overlap, filter.since ? Date.parse(filter.since) : 0);
  return { ...filter, since: new Date(begin).toISOString() };
}

function follow(filter: AuditFilter, report: (added: readonly Audit[]) => void): () => void {
  const end = new AbortController();
  const { signal } = end;
  let after: string | null = null;
  let asking = false;

  const ask = async () => {
    if (asking || document.visibilityState === 'hidden') return;
    asking = true;
    try {
      for (let more = true; more && !signal.aborted;) {
        const { audits } = await session.ask(addedQuery, { filter, after }, signal);
        after = audits.pageInfo.endCursor ?? after;
        more = audits.pageInfo.hasNextPage;
        if (audits.nodes.length > 0) report(audits.nodes.toReversed());
      }
    } catch (error) {
      // The connection badge shows the error; the next query tries again.
      if (!(error instanceof ApiError || signal.aborted)) throw error;
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void ask(), followEvery);
  signal.addEventListener('abort', () => clearInterval(timer));
  for (const [target, event] of [
    [window, 'focus'],
    [document, 'visibilitychange'],
  ] as const)
    target.addEventListener(event, () => void ask(), { signal });
  return () => end.abort();
}
