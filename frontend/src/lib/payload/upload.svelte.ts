import { Pace } from './pace';
import { forget, remember, type Remembered } from './remembered';
import type { Transport } from './transport';
import { Tus, UploadError, type UploadTarget } from './tus';

export type UploadState =
  | 'sending'
  /** The whole file is sent; the server compares and stores it. */
  | 'verifying'
  | 'paused'
  /** The connection is lost; it is tried again at `retryAt`. */
  | 'waiting'
  | 'failed'
  | 'done';

/** What an upload needs from its surroundings. */
export interface UploadWorld {
  send: Transport;
  now: () => number;
  /** Whether the package has the file now: the answer to the last part can be lost. */
  isStored: (target: UploadTarget, size: number) => Promise<boolean>;
}

/** Milliseconds before the first try after a lost connection; they double up to the maximum. */
const firstWait = 1_000;
const maxWait = 15_000;

/** A file on its way to the server. It lives longer than the page that began it. */
export class Upload {
  readonly target: UploadTarget;
  readonly file: File;
  state = $state<UploadState>('sending');
  /** Bytes that were sent. */
  sent = $state(0);
  /** Why it failed or waits. */
  problem = $state('');
  /** Milliseconds since 1970 of the next try. */
  retryAt = $state(0);
  /** Bytes per second; null while it is not known. */
  rate = $state<number | null>(null);

  readonly #world: UploadWorld;
  readonly #pace = new Pace();
  #tus: Tus | null = null;
  #running: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait = firstWait;
  /** Began again, because the server did not know the upload any more. */
  #restarted = false;

  constructor(world: UploadWorld, target: UploadTarget, file: File, begun?: Remembered) {
    this.#world = world;
    this.target = target;
    this.file = file;
    if (begun) this.#tus = new Tus(world.send, begun.path);
  }

  /** Whether the tab must stay open. */
  get active(): boolean {
    return this.state === 'sending' || this.state === 'waiting' || this.state === 'verifying';
  }

  /** Seconds until everything is sent; null while it is not known. */
  get left(): number | null {
    return this.rate ? (this.file.size - this.sent) / this.rate : null;
  }

  /** Begins or continues it. */
  async run() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    const mine = new AbortController();
    this.#running = mine;
    this.state = 'sending';
    this.problem = '';
    this.#pace.reset();
    this.rate = null;
    try {
      await this.#transfer(mine.signal);
      if (mine.signal.aborted) return;
      this.state = 'done';
      forget(this.#key);
    } catch (error) {
      if (mine.signal.aborted) return;
      await this.#fail(error);
    }
  }

  pause() {
    this.#stop();
    this.state = 'paused';
  }

  /** Ends it and deletes at the server what arrived. */
  async cancel() {
    this.#stop();
    this.state = 'failed';
    forget(this.#key);
    // Without a connection the server deletes it after a day.
    await this.#tus?.cancel(new AbortController().signal).catch(() => undefined);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
    this.rate = null;
  }

  get #key() {
    return { packageId: this.target.packageId, name: this.target.name };
  }

  async #transfer(signal: AbortSignal) {
    const { file } = this;
    let offset = await this.#begin(signal);
    while (offset < file.size) {
      this.#note(offset);
      const end = await this.#tus?.append(file, offset, signal, (sent) => {
        if (signal.aborted) return;
        this.#note(sent);
        if (sent === file.size) this.state = 'verifying';
      });
      offset = end ?? offset;
      this.#wait = firstWait;
    }
    this.#note(file.size);
  }

  /** Returns the number of bytes that the server has. */
  async #begin(signal: AbortSignal): Promise<number> {
    if (this.#tus) {
      try {
        return await this.#tus.offset(signal);
      } catch (error) {
        if (!isMissing(error)) throw error;
        if (await this.#stored()) return this.file.size;
        if (this.#restarted) throw error;
        this.#restarted = true;
        this.#tus = null; // expired: from the beginning
      }
    }
    this.#tus = await Tus.create(this.#world.send, this.target, this.file.size, signal);
    const { name, size, lastModified: modified } = this.file;
    remember({ ...this.#key, path: this.#tus.path, file: { name, size, modified }, at: this.#world.now() });
    return 0;
  }

  #stored = () => this.#world.isStored(this.target, this.file.size);

  #note(bytes: number) {
    this.sent = bytes;
    this.#pace.note(bytes, this.#world.now());
    this.rate = this.#pace.rate;
  }

  async #fail(error: unknown) {
    if (!(error instanceof UploadError)) throw error;
    this.problem = error.message;
    this.rate = null;
    if (error.kind === 'lost') {
      this.state = 'waiting';
      this.retryAt = this.#world.now() + this.#wait;
      this.#timer = setTimeout(() => void this.run(), this.#wait);
      this.#wait = Math.min(maxWait, this.#wait * 2);
      return;
    }
    this.state = 'failed';
    // After a sign-in it can be continued; a refused file is deleted by the server.
    if (error.status !== 401) {
      forget(this.#key);
      this.#tus = null;
    }
  }
}

const isMissing = (error: unknown) => error instanceof UploadError && error.kind === 'missing';
