import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { base64, hexToBase64 } from './digest';

test('a digest is converted to base64', () => {
  const digest = createHash('sha256').update('abc').digest();
  expect(base64(digest)).toBe(digest.toString('base64'));
  expect(hexToBase64(digest.toString('hex'))).toBe(digest.toString('base64'));
});

test('text that is not a SHA-256 digest is converted to nothing', () => {
  expect(hexToBase64('abc')).toBe('');
  expect(hexToBase64('z'.repeat(64))).toBe('');
});
