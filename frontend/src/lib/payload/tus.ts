import type { Transport, UploadAnswer } from './transport';

/** Bytes of one request. The server keeps what arrived of a request that broke off, so this only has to
 * be below the limits of proxies. */
export const partSize = 16 * 1024 * 1024;

/** Why a request of an upload did not succeed. */
export class UploadError extends Error {
  constructor(
    message: string,
    /** `lost`: try again later. `missing`: the server does not know the upload. */
    readonly kind: 'lost' | 'missing' | 'refused',
    readonly status: number,
  ) {
    super(message);
  }
}

function failure({ status, text }: UploadAnswer): UploadError {
  const problem = problemOf(text);
  const message = problem?.message ?? without(status);
  if (status === 404 || status === 410) return new UploadError(message, 'missing', status);
  return new UploadError(message, isPassing(status, problem) ? 'lost' : 'refused', status);
}

/** Whether the same request can succeed later: there was no answer, a proxy answered, there are too many
 * requests, or another one still writes the upload. */
function isPassing(status: number, problem: Problem | null): boolean {
  if (status === 409) return problem?.field === 'offset' || problem?.field === 'id';
  if ([0, 408, 423, 429].includes(status)) return true;
  return status >= 500 && problem === null;
}

/** The body of an error of the server. */
interface Problem {
  field: string;
  message: string;
}

function problemOf(text: string): Problem | null {
  try {
    const { field, message } = JSON.parse(text) as Partial<Problem>;
    if (message) return { field: field ?? '', message };
  } catch {
    // A proxy answered instead of the server.
  }
  return null;
}

function without(status: number): string {
  if (status === 0) return 'the connection to the server is lost';
  if (status === 413)
    return 'a proxy refuses requests of this size; see “Behind a proxy” in docs/payloads.md';
  return `the server answered with status ${status}`;
}

/** What a file is uploaded for. */
export interface UploadTarget {
  packageId: string;
  /** Name of the payload or of another file of the package. */
  name: string;
  reason: string;
}

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** One upload by the core protocol of tus 1.0 and its extensions creation and termination. Every method
 * throws UploadError. */
export class Tus {
  readonly #send: Transport;

  constructor(
    transport: Transport,
    /** Path of the upload at the server. */
    readonly path: string,
  ) {
    this.#send = transport;
  }

  /** Begins an upload of a number of bytes. */
  static async create(
    transport: Transport,
    { packageId, name, reason }: UploadTarget,
    size: number,
    signal: AbortSignal,
  ): Promise<Tus> {
    const metadata = Object.entries({ package: packageId, name, reason })
      .filter(([, value]) => value !== '')
      .map(([key, value]) => `${key} ${base64(value)}`);
    const answer = await transport(
      {
        method: 'POST',
        path: '/uploads/',
        headers: { 'Upload-Length': String(size), 'Upload-Metadata': metadata.join(',') },
      },
      signal,
    );
    const location = answer.header('Location');
    if (answer.status !== 201 || !location) throw failure(answer);
    // A path only: behind a proxy the server may not know its own address.
    return new Tus(transport, new URL(location, window.location.origin).pathname);
  }

  /** The number of bytes that the server has. */
  async offset(signal: AbortSignal): Promise<number> {
    const answer = await this.#send({ method: 'HEAD', path: this.path }, signal);
    const offset = Number(answer.header('Upload-Offset') ?? NaN);
    if (answer.status !== 200 || !Number.isSafeInteger(offset)) throw failure(answer);
    return offset;
  }

  /** Sends the next part of a file and returns how many bytes the server has then. With the last part
   * the server verifies the file and stores it. */
  async append(
    file: Blob,
    offset: number,
    signal: AbortSignal,
    onsent: (offset: number) => void,
  ): Promise<number> {
    const end = Math.min(file.size, offset + partSize);
    const answer = await this.#send(
      {
        method: 'PATCH',
        path: this.path,
        headers: { 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
        body: file.slice(offset, end),
      },
      signal,
      (bytes) => onsent(Math.min(end, offset + bytes)),
    );
    if (answer.status !== 200 && answer.status !== 204) throw failure(answer);
    return Number(answer.header('Upload-Offset') ?? end);
  }

  /** Deletes the upload. */
  async cancel(signal: AbortSignal): Promise<void> {
    const answer = await this.#send({ method: 'DELETE', path: this.path }, signal);
    if (answer.status !== 204 && answer.status !== 404) throw failure(answer);
  }
}
