import { expect, test } from 'vitest';
import { fileRows, kindOf, notReady, readiness, type PayloadFiles } from './files';
import { quotaProblem, storageParts, type Storage } from './storage';

const digests = { sha1: 's', sha256: 'a'.repeat(64) };
const stored = (name: string, payload: boolean, sha256 = digests.sha256) => ({
  name,
  payload,
  size: 5,
  sha1: 's',
  sha256,
  storedAt: '2026-12-01T00:00:00Z',
  storedBy: 'admin',
  downloads: 1,
});

const pack = (changes: Partial<PayloadFiles> = {}): PayloadFiles => ({
  id: 'p',
  version: '1.0.0',
  type: 'OTHER',
  filename: 'a.gz',
  url: 'https://here/payloads/p/',
  size: 5,
  ...digests,
  hosted: true,
  sourceUrl: '',
  channels: [],
  files: [{ name: 'oem-ami.gz', size: 5, ...digests }],
  stored: [stored('a.gz', true), stored('oem-ami.gz', false)],
  ...changes,
});

test('a package is ready when its files are stored or are elsewhere', () => {
  expect(readiness(pack()).text).toBe('Ready · all digests verified');
  expect(notReady(pack({ stored: [] }))).toBe('a.gz is not stored yet');
  const payloadOnly = { stored: [stored('a.gz', true)] };
  expect(notReady(pack(payloadOnly))).toBe('oem-ami.gz is not stored yet');
  expect(readiness(pack({ ...payloadOnly, sourceUrl: 'https://up/' }))).toEqual({
    tone: 'done',
    text: 'Ready · digests of the stored files verified',
  });
  expect(notReady(pack({ hosted: false, stored: [] }))).toBe('');
});

test('a package is not ready while another file is stored', () => {
  const other = [stored('a.gz', true, 'b'.repeat(64)), stored('oem-ami.gz', false)];
  expect(readiness(pack({ stored: other }))).toEqual({
    tone: 'warn',
    text: 'Not ready: another file is stored as a.gz',
  });
});

test('an operating system needs size and digest of every file', () => {
  const type = 'OPERATING_SYSTEM';
  expect(notReady(pack({ type, sha256: '', stored: [] }))).toBe('a.gz is not stored yet');
  expect(notReady(pack({ type, hosted: false, sha256: '' }))).toBe('the payload has no SHA-256');
  const files = [{ name: 'oem-ami.gz', size: 0, ...digests }];
  expect(notReady(pack({ type, hosted: false, files }))).toBe('oem-ami.gz has no size');
});

test('where machines fetch each file follows from what is stored', () => {
  const from = (changes: Partial<PayloadFiles>) => fileRows(pack(changes)).map((row) => row.from);
  expect(from({})).toEqual(['here', 'here']);
  expect(from({ stored: [], sourceUrl: 'https://up/' })).toEqual(['nowhere', 'upstream']);
  expect(from({ hosted: false })).toEqual(['upstream', 'upstream']);
});

test('the kind of a file follows from its name', () => {
  expect(['x-oem-azure.gz', 'flatcar-podman.gz', 'notes.txt'].map(kindOf)).toEqual([
    'OEM',
    'extension',
    'file',
  ]);
});

test('the parts of the storage add up to the quota', () => {
  const storage: Storage = {
    location: '/data',
    stored: 80,
    arriving: 12,
    quota: 100,
    free: 1000,
    files: 2,
    unusedFiles: 1,
    unusedBytes: 30,
    maxRate: 0,
    maxRatePerClient: 0,
    maxDownloads: 200,
  };
  expect(storageParts(storage).map((part) => part.bytes)).toEqual([50, 30, 12, 8]);
  expect(quotaProblem(storage)).toContain('above it uploads are refused');
  expect(quotaProblem({ ...storage, stored: 90 })).toContain('uploads are refused');
  expect(quotaProblem({ ...storage, quota: 0 })).toBe('');
  expect(storageParts({ ...storage, quota: 0 }).at(-1)?.bytes).toBe(1000);
});
