import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { base64, bits, hex, hexToBase64, Sha1, Sha256 } from './hash';

const text = (words: string) => new TextEncoder().encode(words);
const sha1 = (bytes: Uint8Array) => hex(new Sha1().update(bytes).digest());
const sha256 = (bytes: Uint8Array) => hex(new Sha256().update(bytes).digest());

/** Bytes that are the same in every run. */
function noise(length: number): Uint8Array {
  let seed = 42;
  return Uint8Array.from({ length }, () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >>> 16);
}

test('the examples of the standard', () => {
  expect(sha1(text('abc'))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  expect(sha1(text(''))).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709');
  expect(sha256(text('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256(text(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sha256(text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))).toBe(
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
});

test('every length around the blocks and the padding, as node has it', () => {
  for (let length = 0; length <= 260; length++) {
    const bytes = noise(length);
    expect(sha1(bytes), `SHA-1 of ${length}`).toBe(createHash('sha1').update(bytes).digest('hex'));
    expect(sha256(bytes), `SHA-256 of ${length}`).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});

test('in pieces of any size it is the same as at once', () => {
  const bytes = noise(1000);
  const whole = [sha1(bytes), sha256(bytes)];
  for (const piece of [1, 3, 63, 64, 65, 127, 128, 129, 500, 999]) {
    const one = new Sha1();
    const two = new Sha256();
    for (let at = 0; at < bytes.length; at += piece) {
      one.update(bytes.subarray(at, at + piece));
      two.update(bytes.subarray(at, at + piece));
    }
    expect([hex(one.digest()), hex(two.digest())], `pieces of ${piece}`).toEqual(whole);
  }
});

test('pieces of growing size, and a view that does not begin with its buffer', () => {
  const bytes = noise(5000).subarray(13);
  const sum = new Sha256();
  for (let at = 0, size = 1; at < bytes.length; at += size++) sum.update(bytes.subarray(at, at + size));
  expect(hex(sum.digest())).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('lengths whose bits do not fit 32 bits', () => {
  expect(bits(0)).toEqual([0, 0]);
  expect(bits(2 ** 29 - 1)).toEqual([0, 0xfffffff8]);
  expect(bits(2 ** 29)).toEqual([1, 0]);
  for (const bytes of [5_000_000_017, 2 ** 40 + 3]) {
    const [high, low] = bits(bytes);
    expect((BigInt(high) << 32n) | BigInt(low)).toBe(BigInt(bytes) * 8n);
  }
});

test('spellings', () => {
  const sum = createHash('sha256').update('abc').digest();
  expect(base64(sum)).toBe(sum.toString('base64'));
  expect(hexToBase64(sum.toString('hex'))).toBe(sum.toString('base64'));
  expect(hexToBase64('abc')).toBe('');
});
