import { graphql, type ResultOf } from '$lib/api/graphql';
import { bytes } from '$lib/ui/format';

export const storageFragment = graphql(`
  fragment StorageUse on Storage {
    location
    stored
    arriving
    quota
    free
    files
    unusedFiles
    unusedBytes
    maxRate
    maxRatePerClient
    maxDownloads
  }
`);

export type Storage = ResultOf<typeof storageFragment>;

/** The parts of the bar: what is used, and what is left up to the quota, or else on the disk. */
export function storageParts({ stored, arriving, unusedBytes, quota, free }: Storage) {
  const used = stored + arriving;
  const left = quota > 0 ? Math.max(0, quota - used) : (free ?? 0);
  return [
    { key: 'used', label: 'Files of packages', bytes: stored - unusedBytes },
    { key: 'unused', label: 'No package names them', bytes: unusedBytes },
    { key: 'arriving', label: 'Arriving', bytes: arriving },
    { key: 'free', label: quota > 0 ? 'Left of the quota' : 'Free', bytes: left },
  ] as const;
}

/** How close the storage is to its quota: uploads are refused above it. */
export function quotaTone({ stored, arriving, quota }: Storage): 'done' | 'warn' | 'fail' {
  if (quota === 0) return 'done';
  const share = (stored + arriving) / quota;
  return share >= 1 ? 'fail' : share >= 0.9 ? 'warn' : 'done';
}

/** Why uploads fail or soon will; "" if there is room. */
export function quotaProblem(storage: Storage): string {
  const tone = quotaTone(storage);
  if (tone === 'done') return '';
  const why = `Files use ${bytes(storage.stored + storage.arriving)} of the quota of ${bytes(storage.quota)}`;
  const help = 'Clean up, or raise --payload-quota';
  return tone === 'fail'
    ? `${why}: uploads are refused. ${help}.`
    : `${why}: above it uploads are refused. ${help}.`;
}

/** "12 MiB/s of 100 MiB/s". */
export const rateText = (rate: number, max: number): string =>
  max > 0 ? `${bytes(rate)}/s of ${bytes(max)}/s` : `${bytes(rate)}/s`;
