import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

/** Creates a database in the cluster started by scripts/with-postgres. */
export async function newDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const cluster = process.env['COREROLLER_TEST_POSTGRES'];
  if (!cluster) throw new Error('COREROLLER_TEST_POSTGRES is not set: run the tests with `make e2e`');
  const name = `e2e_${randomUUID().replaceAll('-', '')}`;
  const sql = (text: string) => promisify(execFile)('psql', [cluster, '-qc', text]);
  await sql(`CREATE DATABASE ${name}`);
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return {
    url: url.toString(),
    drop: async () => {
      await sql(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
