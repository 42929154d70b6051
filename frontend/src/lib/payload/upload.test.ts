import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isSame, rememberedOf } from './remembered';
import type { Transport, UploadRequest } from './transport';
import { partSize } from './tus';
import { Upload } from './upload.svelte';

/** A server with one upload. `answers` replaces its next answers to PATCH. */
class FakeServer {
  requests: string[] = [];
  received = 0;
  size = 0;
  exists = false;
  answers: (object | 'lost' | 'lost after it arrived')[] = [];

  send: Transport = async (request, signal, onsent) => {
    this.requests.push(`${request.method} ${request.headers?.['Upload-Offset'] ?? ''}`.trim());
    await Promise.resolve();
    if (signal.aborted) return reply(0);
    return this.#answer(request, onsent);
  };

  #answer({ method, headers, body }: UploadRequest, onsent?: (bytes: number) => void) {
    if (method === 'POST') {
      this.size = Number(headers?.['Upload-Length']);
      this.exists = true;
      this.received = 0;
      return reply(201, { Location: '/uploads/u1' });
    }
    if (!this.exists) return reply(404, {}, { field: 'id', message: 'there is no such upload' });
    if (method === 'DELETE') return reply(204);
    if (method === 'HEAD') return reply(200, { 'Upload-Offset': String(this.received) });
    const answer = this.answers.shift();
    if (answer === 'lost') {
      this.received += 100; // what arrived is kept
      return reply(0);
    }
    onsent?.(body?.size ?? 0);
    this.received = Number(headers?.['Upload-Offset']) + (body?.size ?? 0);
    const complete = this.received === this.size;
    if (complete) this.exists = false;
    if (answer === 'lost after it arrived') return reply(0);
    if (answer) return reply(400, {}, answer);
    return reply(complete ? 200 : 204, { 'Upload-Offset': String(this.received) });
  }
}

const reply = (status: number, headers: Record<string, string> = {}, body?: object) => ({
  status,
  header: (name: string) => headers[name] ?? null,
  text: body ? JSON.stringify(body) : '',
});

let server: FakeServer;
let stored: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  server = new FakeServer();
  stored = false;
});
afterEach(() => vi.useRealTimers());

const target = { packageId: 'p1', name: 'agent.tar.gz', reason: 'new version' };
const file = (size = partSize + 500) => {
  const one = new File(['x'], 'agent.tar.gz', { lastModified: 7 });
  Object.defineProperty(one, 'size', { value: size });
  one.slice = (start = 0, end = size) => ({ size: end - start }) as Blob;
  return one;
};
const world = () => ({ send: server.send, now: () => Date.now(), isStored: () => Promise.resolve(stored) });
const settle = () => vi.advanceTimersByTimeAsync(0);

test('a file is sent in parts and is then forgotten', async () => {
  const upload = new Upload(world(), target, file());
  await upload.run();
  expect(upload.state).toBe('done');
  expect(server.requests).toEqual(['POST', 'PATCH 0', `PATCH ${partSize}`]);
  expect(rememberedOf('p1', Date.now())).toEqual([]);
});

test('after a lost connection it continues with what the server has', async () => {
  server.answers = ['lost'];
  const upload = new Upload(world(), target, file());
  await upload.run();
  expect(upload.state).toBe('waiting');
  await vi.advanceTimersByTimeAsync(1000);
  expect(upload.state).toBe('done');
  expect(server.requests.slice(2)).toEqual(['HEAD', 'PATCH 100', `PATCH ${100 + partSize}`]);
});

test('a lost answer to the last part is success if the package has the file', async () => {
  server.answers = ['lost after it arrived'];
  const upload = new Upload(world(), target, file(500));
  await upload.run();
  expect(upload.state).toBe('waiting');
  stored = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(upload.state).toBe('done');
  expect(server.requests).toEqual(['POST', 'PATCH 0', 'HEAD']);
});

test('a refused file fails with both digests and is not tried again', async () => {
  const message = 'the file is not the one that the package names: SHA-256: expected aa, is bb';
  server.answers = [{ code: 'invalid', field: 'file', message }];
  const upload = new Upload(world(), target, file());
  await upload.run();
  expect(upload.state).toBe('failed');
  expect(upload.problem).toBe(message);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.requests).toEqual(['POST', 'PATCH 0']);
  expect(rememberedOf('p1', Date.now())).toEqual([]);
});

test('a paused upload sends nothing until it continues', async () => {
  const upload = new Upload(world(), target, file());
  const running = upload.run();
  upload.pause();
  await running;
  await settle();
  expect(upload.state).toBe('paused');
  const before = server.requests.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.requests.length).toBe(before);
  await upload.run();
  expect(upload.state).toBe('done');
});

test('after a reload the same file continues the upload', async () => {
  server.answers = ['lost'];
  const first = new Upload(world(), target, file());
  await first.run();
  first.pause(); // the page is gone
  const [begun] = rememberedOf('p1', Date.now());
  expect(begun && isSame(begun, file())).toBe(true);
  expect(begun && isSame(begun, new File(['other'], 'agent.tar.gz', { lastModified: 8 }))).toBe(false);
  const second = new Upload(world(), target, file(), begun);
  await second.run();
  expect(second.state).toBe('done');
  expect(server.requests.filter((one) => one === 'POST')).toHaveLength(1);
});

test('an upload that the server no longer has begins again once', async () => {
  server.answers = ['lost'];
  const upload = new Upload(world(), target, file());
  await upload.run();
  server.exists = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(upload.state).toBe('done');
  expect(server.requests.slice(2)).toEqual(['HEAD', 'POST', 'PATCH 0', `PATCH ${partSize}`]);
});

test('an upload of yesterday is not offered', async () => {
  server.answers = ['lost'];
  const upload = new Upload(world(), target, file());
  await upload.run();
  upload.pause();
  expect(rememberedOf('p1', Date.now() + 25 * 3600 * 1000)).toEqual([]);
});
