import { graphql } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';
import { csvLine } from './csv';
import type { InstanceFilter, InstanceOrder } from './instances';

const exportQuery = graphql(`
  query ExportInstances($filter: InstanceFilter, $first: Int!, $after: String, $orderBy: InstanceOrder) {
    instances(filter: $filter, first: $first, after: $after, orderBy: $orderBy) {
      nodes {
        machineId
        alias
        application {
          name
        }
        group {
          name
        }
        state
        standing
        reason
        version
        oem
        oemVersion
        arch
        address
        grant {
          version
          leaseExpiresAt
        }
        createdAt
        lastSeenAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const columns = [
  'machine_id',
  'alias',
  'application',
  'group',
  'state',
  'standing',
  'reason',
  'version',
  'granted_version',
  'lease_until',
  'oem',
  'oem_version',
  'arch',
  'address',
  'first_seen',
  'last_seen',
];

/** Machines per request: the maximum of the API. */
const pageSize = 500;

/** Exports all machines of a list to a file, page by page. */
export class InstanceExport {
  #written = $state(0);
  #asking = $state.raw<AbortController | null>(null);
  #error = $state<string | null>(null);

  get running(): boolean {
    return this.#asking !== null;
  }

  /** Machines written so far. */
  get written(): number {
    return this.#written;
  }

  /** Why the export failed. */
  get error(): string | null {
    return this.#error;
  }

  cancel() {
    this.#asking?.abort();
  }

  /** The complete file; null if the export was cancelled or failed. */
  async run(filter: InstanceFilter, orderBy: InstanceOrder): Promise<Blob | null> {
    const asking = new AbortController();
    this.#asking = asking;
    this.#written = 0;
    this.#error = null;
    try {
      const lines = [csvLine(columns)];
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof read>> = await read(filter, orderBy, after, asking.signal);
        lines.push(page.text);
        this.#written += page.machines;
        after = page.next;
      } while (after !== null);
      return new Blob(lines, { type: 'text/csv;charset=utf-8' });
    } catch (error) {
      if (asking.signal.aborted) return null;
      if (!(error instanceof ApiError)) throw error;
      this.#error = `Export failed: ${error.message}`;
      return null;
    } finally {
      this.#asking = null;
    }
  }
}

async function read(
  filter: InstanceFilter,
  orderBy: InstanceOrder,
  after: string | null,
  signal: AbortSignal,
) {
  const { instances } = await session.ask(exportQuery, { filter, first: pageSize, after, orderBy }, signal);
  const { nodes, pageInfo } = instances;
  const text = nodes
    .map((m) =>
      csvLine([
        m.machineId,
        m.alias,
        m.application.name,
        m.group?.name ?? '',
        m.state,
        m.standing,
        m.reason,
        m.version,
        m.grant?.version ?? '',
        m.grant?.leaseExpiresAt ?? '',
        m.oem,
        m.oemVersion,
        m.arch,
        m.address,
        m.createdAt,
        m.lastSeenAt,
      ]),
    )
    .join('');
  return {
    text,
    machines: nodes.length,
    next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null,
  };
}
