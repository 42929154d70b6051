import { graphql } from '$lib/api/graphql';

export type PackageType = ReturnType<typeof graphql.scalar<'PackageType'>>;

export const typeLabel: Record<PackageType, string> = {
  OPERATING_SYSTEM: 'Operating system',
  DOCKER: 'Docker image',
  RKT: 'rkt image',
  OTHER: 'Other',
};

const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** 4096 → "4 KiB"; "" for an unknown size. */
export function sizeText(bytes: number): string {
  if (bytes === 0) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${tenths.format(bytes / 1024 ** power)} ${units[power]}`;
}

/** Whether the file name would be appended to the last path segment. That is right
 * only for a name prefix or a query. */
export const lacksSlash = (url: string): boolean => /[^/=?]$/.test(url.trim());

/** The download URL: machines append the file name to the folder URL unchanged. */
export const payloadAddress = (url: string, filename: string): string => url.trim() + filename.trim();
