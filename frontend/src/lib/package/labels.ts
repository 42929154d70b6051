import { graphql } from '$lib/api/graphql';

export type PackageType = ReturnType<typeof graphql.scalar<'PackageType'>>;

export const typeWords: Record<PackageType, string> = {
  OPERATING_SYSTEM: 'Operating system',
  DOCKER: 'Docker image',
  RKT: 'rkt image',
  OTHER: 'Other',
};

const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** 4096 → "4 KiB"; "" for a size that is not known. */
export function sizeWords(bytes: number): string {
  if (bytes === 0) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${tenths.format(bytes / 1024 ** power)} ${units[power]}`;
}

/** Whether the name would be joined to the last part of the codebase, which is
 * right only where that is the beginning of the name or of a query. */
export const lacksSlash = (url: string): boolean => /[^/=?]$/.test(url.trim());

/** Where machines download from: they append the name to the codebase as it is. */
export const payloadAddress = (url: string, filename: string): string => url.trim() + filename.trim();
