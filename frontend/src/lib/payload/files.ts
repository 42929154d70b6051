import { graphql, type ResultOf } from '$lib/api/graphql';

export const payloadFilesFragment = graphql(`
  fragment PayloadFiles on Package {
    id
    version
    type
    filename
    url
    size
    sha1
    sha256
    hosted
    sourceUrl
    channels {
      name
    }
    files {
      name
      size
      sha1
      sha256
    }
    stored {
      name
      payload
      size
      sha1
      sha256
      storedAt
      storedBy
      downloads
    }
  }
`);

export type PayloadFiles = ResultOf<typeof payloadFilesFragment>;

export interface FileRow {
  name: string;
  kind: 'payload' | 'OEM' | 'extension' | 'file';
  /** Bytes; 0 if it is not known. */
  size: number;
  sha1: string;
  sha256: string;
  /** What this server has; null if it does not store the file. */
  stored: PayloadFiles['stored'][number] | null;
  /** Where machines fetch it. `nowhere`: they cannot. */
  from: 'here' | 'upstream' | 'nowhere';
}

/** What a file of a package is, by its name: machines of Flatcar find OEMs and extensions by it. */
export function kindOf(name: string): FileRow['kind'] {
  if (/oem-[^/]*\.gz$/.test(name)) return 'OEM';
  return /flatcar-[^/]*\.gz$/.test(name) ? 'extension' : 'file';
}

/** The files of a package, the payload first. */
export function fileRows(pack: PayloadFiles): FileRow[] {
  const row = (
    file: { name: string; size: number; sha1: string; sha256: string },
    payload: boolean,
  ): FileRow => {
    const stored = pack.stored.find((one) => one.name === file.name) ?? null;
    const upstream = !pack.hosted || (!payload && pack.sourceUrl !== '');
    return {
      ...file,
      kind: payload ? 'payload' : kindOf(file.name),
      stored,
      from: pack.hosted && stored ? 'here' : upstream ? 'upstream' : 'nowhere',
    };
  };
  const payload = { name: pack.filename, size: pack.size, sha1: pack.sha1, sha256: pack.sha256 };
  return [row(payload, true), ...pack.files.map((file) => row(file, false))];
}

/** Whether the stored content is the file that the package names. */
export const isRight = ({ stored, size, sha256 }: FileRow): boolean =>
  stored !== null && stored.size === size && stored.sha256 === sha256;

/** Why a package cannot be promoted because of its files; "" if it can. The API applies the same rules
 * (and more for an operating system, which `missing` names). */
export function notReady(pack: PayloadFiles): string {
  const missing = incomplete(pack);
  if (missing) return missing;
  if (!pack.hosted) return '';
  for (const row of fileRows(pack)) {
    if (row.from === 'upstream') continue;
    if (!row.stored) return row.name ? `${row.name} is not stored yet` : 'the payload is not stored yet';
    if (!isRight(row)) return `another file is stored as ${row.name}`;
  }
  return '';
}

/** What update_engine needs and the package does not say. */
function incomplete({ type, filename, size, sha256, files, hosted }: PayloadFiles): string {
  if (type !== 'OPERATING_SYSTEM') return '';
  if (!filename) return hosted ? 'the payload is not stored yet' : 'the payload has no file name';
  if (!sha256) return hosted ? `${filename} is not stored yet` : 'the payload has no SHA-256';
  if (!size) return 'the payload has no size';
  const file = files.find((one) => !one.size || !one.sha256);
  return file ? `${file.name} has no ${file.size ? 'SHA-256' : 'size'}` : '';
}

/** "Ready · all digests verified" and its tone. */
export function readiness(pack: PayloadFiles): { tone: 'done' | 'warn'; text: string } {
  const why = notReady(pack);
  if (why) return { tone: 'warn', text: `Not ready: ${why}` };
  if (!pack.hosted) return { tone: 'done', text: 'Ready · machines fetch from another server' };
  const sent = fileRows(pack).filter(({ from }) => from === 'upstream').length;
  if (sent > 0) return { tone: 'done', text: 'Ready · digests of the stored files verified' };
  return { tone: 'done', text: 'Ready · all digests verified' };
}
