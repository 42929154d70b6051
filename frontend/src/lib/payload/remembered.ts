/** An upload that this browser began and can continue. */
export interface Remembered {
  packageId: string;
  /** Name of the file at the package. */
  name: string;
  /** The chosen file, to recognise it. */
  file: { name: string; size: number; modified: number };
  /** Path of the upload at the server. */
  path: string;
  /** Milliseconds since 1970. */
  at: number;
}

const prefix = 'upload:';
/** The server deletes an upload that rests for a day. */
const life = 24 * 3600 * 1000;

const keyOf = ({ packageId, name }: { packageId: string; name: string }) => `${prefix}${packageId}:${name}`;

export const remember = (upload: Remembered) => {
  try {
    localStorage.setItem(keyOf(upload), JSON.stringify(upload));
  } catch {
    // Without storage an upload cannot be continued after a reload.
  }
};

export const forget = (upload: { packageId: string; name: string }) => localStorage.removeItem(keyOf(upload));

/** The uploads to a package that this browser began and that may still exist. */
export function rememberedOf(packageId: string, now: number): Remembered[] {
  const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? '');
  return keys
    .filter((key) => key.startsWith(`${prefix}${packageId}:`))
    .flatMap((key) => {
      try {
        const one = JSON.parse(localStorage.getItem(key) ?? '') as Remembered;
        if (one.packageId === packageId && now - one.at < life) return [one];
      } catch {
        // Not written by this version: remove it.
      }
      localStorage.removeItem(key);
      return [];
    });
}

/** Whether a chosen file is the one of an upload, by name, size and time of change. */
export const isSame = ({ file }: Remembered, { name, size, lastModified }: File): boolean =>
  file.name === name && file.size === size && file.modified === lastModified;
