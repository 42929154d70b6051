/** A request of an upload. */
export interface UploadRequest {
  method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: Blob;
}

export interface UploadAnswer {
  /** 0 if there was no answer. */
  status: number;
  header: (name: string) => string | null;
  text: string;
}

/** Sends a request. `onsent` receives the bytes of the body that were sent so far. The signal ends it
 * with status 0. */
export type Transport = (
  request: UploadRequest,
  signal: AbortSignal,
  onsent?: (bytes: number) => void,
) => Promise<UploadAnswer>;

/** Milliseconds without a sent byte after which a connection counts as lost. */
const stalled = 60_000;

/** Uses XMLHttpRequest, because `fetch` does not report how much was sent. */
export const send: Transport = ({ method, path, headers = {}, body }, signal, onsent) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    let timer = setTimeout(abort, stalled);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, stalled);
    };
    request.open(method, path);
    request.setRequestHeader('Tus-Resumable', '1.0.0');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => {
      alive();
      onsent?.(loaded);
    };
    // The server may need longer to verify and store a complete file.
    request.upload.onload = () => clearTimeout(timer);
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve({
        status: request.status,
        header: (name) => request.getResponseHeader(name),
        text: request.responseText,
      });
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) return abort();
    request.send(body ?? null);
  });
