import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { emptyPackage, packageForm, readPackageForm } from './form';
import { lacksSlash, payloadAddress, sizeText } from './labels';

const action = {
  sha256: 'c2hh',
  chromeosVersion: '',
  needsAdmin: false,
  isDelta: true,
  disablePayloadBackoff: true,
  metadataSignatureRsa: '',
  metadataSize: '',
  deadline: '',
};
const pack = {
  id: 'p',
  type: 'OPERATING_SYSTEM' as const,
  arch: 'arm64',
  version: '4152.1.1',
  url: 'https://example.com/4152.1.1/',
  filename: 'update.gz',
  size: 5_000_000_000,
  sha1: 'a',
  sha256: 'b',
  description: 'fixes',
  files: [{ name: 'extra.raw', size: 0, sha1: '', sha256: '' }],
  action,
  blacklistings: [{ channel: { id: 'c' } }],
};

test('an unedited form sends the original values', () => {
  const { input, problems } = readPackageForm(packageForm(pack));
  expect(problems).toEqual([]);
  const { id: _id, arch: _arch, blacklistings: _kept, ...same } = pack;
  expect(input).toEqual({ ...same, blacklistedChannelIds: ['c'] });
});

test("the action's digest is derived unless it differs from the package's", () => {
  const sum = createHash('sha256').update('payload').digest();
  const derived = {
    ...pack,
    sha256: sum.toString('hex'),
    action: { ...action, sha256: sum.toString('base64') },
  };
  expect(packageForm(derived).action.sha256).toBe('');
  expect(packageForm(pack).action.sha256).toBe('c2hh');
});

test('only operating systems have a postinstall action', () => {
  const form = packageForm(pack);
  form.type = 'DOCKER';
  expect(readPackageForm(form).input.action).toBeNull();
});

test('an action needs its own digest or that of the package', () => {
  const form = emptyPackage('SEMVER');
  expect(readPackageForm(form).input.action).toBeNull();
  form.payload.sha256 = 'b';
  expect(readPackageForm(form).input.action).toMatchObject({ sha256: '', disablePayloadBackoff: true });
});

test('sizes are whole bytes, with any grouping', () => {
  const form = packageForm(pack);
  form.payload.size = '1,234 567';
  expect(readPackageForm(form).input.size).toBe(1_234_567);
  form.payload.size = '4 MB';
  if (form.files[0]) form.files[0].size = '1.5';
  expect(readPackageForm(form).problems.map(({ field }) => field)).toEqual(['size', 'files[0].size']);
});

test('sizes and addresses are formatted', () => {
  expect([0, 1, 1023, 4096, 1_610_612_736].map(sizeText)).toEqual(['', '1 B', '1,023 B', '4 KiB', '1.5 GiB']);
  expect(payloadAddress(' https://example.com/a/ ', 'b.gz')).toBe('https://example.com/a/b.gz');
});

test('a missing slash at the end of a folder URL is detected', () => {
  expect(['https://x/4152', ' https://x/4152 '].map(lacksSlash)).toEqual([true, true]);
  expect(['', 'https://x/4152/', ' https://x/4152/ ', 'https://x/get?file='].map(lacksSlash)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
