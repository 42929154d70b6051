import { execFile, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Server } from '../support/server.ts';

const bench = process.env['BENCH'] ?? fileURLToPath(new URL('../../bin/bench', import.meta.url));

export interface Load {
  perSecond: number;
  p50ms: number;
  p99ms: number;
  errors: number;
}

/** A server with one group of many machines. */
export class Site {
  private constructor(
    readonly server: Server,
    readonly applicationId: string,
    readonly groupId: string,
  ) {}

  static async start(machines: number): Promise<Site> {
    const data = await mkdtemp(join(tmpdir(), 'coreroller-measure-'));
    const database = join(data, 'coreroller.db');
    const filled = await promisify(execFile)(bench, ['fill', '-url', database, '-machines', `${machines}`]);
    const { applicationId, groupId } = JSON.parse(filled.stdout) as {
      applicationId: string;
      groupId: string;
    };
    return new Site(await Server.start(data), applicationId, groupId);
  }

  get path() {
    return `/apps/${this.applicationId}/groups/${this.groupId}`;
  }

  /** Drives machines through updates at a fixed request rate; each request changes
   * state. */
  async drive(rate: number, seconds: number): Promise<Load> {
    const address = new URL(this.server.url).host;
    const args = ['drive', '-address', address, '-app', this.applicationId];
    const child = spawn(bench, [...args, '-rate', `${rate}`, '-for', `${seconds}s`]);
    let output = '';
    child.stdout.on('data', (text) => (output += String(text)));
    child.stderr.on('data', (text) => (output += String(text)));
    const code = await new Promise((resolve) => child.on('exit', resolve));
    if (code !== 0) throw new Error(output);
    return JSON.parse(output) as Load;
  }

  /** Makes one machine fail its update. Returns when the failure was stored, in ms
   * since 1970. */
  async fail(machine: string): Promise<number> {
    await this.#post(machine, '<ping active="1"></ping><updatecheck></updatecheck>');
    await this.#post(machine, '<event eventtype="3" eventresult="0" errorcode="9"></event>');
    return Date.now();
  }

  async #post(machine: string, what: string) {
    const app = `appid="{${this.applicationId}}" version="1.0.0" track="t" board="amd64-usr" machineid="${machine}"`;
    const body = `<?xml version="1.0" encoding="UTF-8"?><request protocol="3.0"><app ${app}>${what}</app></request>`;
    const response = await fetch(`${this.server.url}/v1/update/`, { method: 'POST', body });
    if (!response.ok) throw new Error(`${response.status}`);
    await response.text();
  }
}
