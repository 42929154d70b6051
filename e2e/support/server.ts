import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const binary = process.env['COREROLLER'] ?? fileURLToPath(new URL('../../bin/coreroller', import.meta.url));

/** scripts/with-postgres sets a folder in memory, where syncing takes no time. */
const scratch = process.env['COREROLLER_TEST_FOLDER'] ?? tmpdir();

/** A server process with its own data directory, which survives restarts. */
export class Server {
  readonly url: string;
  #process: ChildProcess | null = null;

  private constructor(
    private readonly port: number,
    private readonly data: string,
    private readonly flags: readonly string[],
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts a server on a new or given data directory, with further flags of `serve`.
   * `remove` deletes the directory. */
  static async start(data?: string, flags: readonly string[] = []): Promise<Server> {
    const folder = data ?? (await mkdtemp(join(scratch, 'coreroller-e2e-')));
    const server = new Server(await freePort(), folder, flags);
    await server.run();
    return server;
  }

  /** Runs another command of the binary and returns its output. */
  static async command(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(binary, args);
    return stdout;
  }

  /** Starts the process and waits until it is ready; also restarts it. */
  async run() {
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.data, ...this.flags];
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const errors: string[] = [];
    child.stderr.on('data', (text) => errors.push(String(text)));
    const ready = once(createInterface(child.stdout), 'line');
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the server exited with ${code}:\n${errors.join('')}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ready, ended]);
  }

  /** Kills the process without a shutdown. */
  async kill() {
    await end(this.#process, 'SIGKILL');
  }

  async remove() {
    await end(this.#process, 'SIGTERM');
    await rm(this.data, { recursive: true, force: true });
  }

  /** Simulates machines of this server until `stop` is called. */
  machines(flags: Record<string, string | number>): { stop: () => Promise<void> } {
    const pairs = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(binary, ['simulate', '--url', this.url, ...pairs], { stdio: 'ignore' });
    return { stop: () => end(child, 'SIGTERM') };
  }
}

async function end(child: ChildProcess | null, signal: NodeJS.Signals) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
