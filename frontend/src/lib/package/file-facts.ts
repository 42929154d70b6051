/** What a package stores about a file. */
export interface FileFacts {
  /** Bytes. */
  size: number;
  /** base64 */
  sha1: string;
  /** hexadecimal */
  sha256: string;
}

/** A message of the worker: bytes read so far, the result, or an error. */
export type FileMessage = { done: number } | { facts: FileFacts } | { failure: string };

/** Computes the digests of a file in a worker, so that the page stays responsive. */
export function fileFacts(
  file: File,
  onprogress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<FileFacts> {
  const worker = new Worker(new URL('./digest.worker.ts', import.meta.url), { type: 'module' });
  const result = new Promise<FileFacts>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('cancelled')));
    worker.addEventListener('error', () => reject(new Error('the browser cannot read it')));
    worker.addEventListener('message', ({ data }: MessageEvent<FileMessage>) => {
      if ('done' in data) onprogress(data.done);
      else if ('facts' in data) resolve(data.facts);
      else reject(new Error(data.failure));
    });
    worker.postMessage(file);
  });
  return result.finally(() => worker.terminate());
}
