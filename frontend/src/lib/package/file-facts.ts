/** What a package says about a file. */
export interface FileFacts {
  size: number;
  /** base64 */
  sha1: string;
  /** hex */
  sha256: string;
}

/** What the worker tells: bytes read so far, the end, or why there is none. */
export type FileNews = { done: number } | { facts: FileFacts } | { failure: string };

/** Reads a file beside the page, which stays quick meanwhile. */
export function fileFacts(
  file: File,
  onprogress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<FileFacts> {
  const worker = new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module' });
  const ended = new Promise<FileFacts>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')));
    worker.addEventListener('error', () => reject(new Error('it cannot be read')));
    worker.addEventListener('message', ({ data }: MessageEvent<FileNews>) => {
      if ('done' in data) onprogress(data.done);
      else if ('facts' in data) resolve(data.facts);
      else reject(new Error(data.failure));
    });
    worker.postMessage(file);
  });
  return ended.finally(() => worker.terminate());
}
