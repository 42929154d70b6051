/** SHA-1 and SHA-256 (FIPS 180-4) piece by piece, so that a file is never in
 * memory as a whole. Browsers have `crypto.subtle` on secure pages only, and
 * the dashboard is often opened over plain http on a LAN. */

/** A digest under way. */
export abstract class Hash {
  readonly #block = new Uint8Array(64);
  readonly #view = new DataView(this.#block.buffer);
  #filled = 0;
  /** Bytes so far; exact up to 8 PiB. */
  #length = 0;

  /** Mixes 64 bytes into the state. */
  protected abstract mix(block: DataView, at: number): void;
  protected abstract readonly state: Uint32Array;

  update(bytes: Uint8Array): this {
    this.#length += bytes.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(64 - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < 64) return this;
      this.mix(this.#view, 0);
      this.#filled = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + 64 <= bytes.length; at += 64) this.mix(view, at);
    this.#block.set(bytes.subarray(at));
    this.#filled = bytes.length - at;
    return this;
  }

  /** Ends it: nothing may be added afterwards. */
  digest(): Uint8Array {
    const length = this.#length;
    this.#block.fill(0, this.#filled);
    this.#block[this.#filled] = 0x80;
    if (this.#filled >= 56) {
      this.mix(this.#view, 0);
      this.#block.fill(0);
    }
    const [high, low] = bits(length);
    this.#view.setUint32(56, high);
    this.#view.setUint32(60, low);
    this.mix(this.#view, 0);
    const out = new DataView(new ArrayBuffer(this.state.length * 4));
    this.state.forEach((word, i) => out.setUint32(i * 4, word));
    return new Uint8Array(out.buffer);
  }
}

/** A number of bytes as a number of bits, in two words. */
export const bits = (bytes: number): [high: number, low: number] => [
  Math.floor(bytes / 0x20000000),
  (bytes * 8) % 0x100000000,
];

/** Reads words of a typed array that is known to be long enough. */
const word = (words: Uint32Array, i: number): number => words[i] as number;

export class Sha1 extends Hash {
  protected readonly state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  readonly #w = new Uint32Array(80);

  protected mix(block: DataView, at: number) {
    const w = this.#w;
    for (let i = 0; i < 16; i++) w[i] = block.getUint32(at + i * 4);
    for (let i = 16; i < 80; i++) {
      const x = word(w, i - 3) ^ word(w, i - 8) ^ word(w, i - 14) ^ word(w, i - 16);
      w[i] = (x << 1) | (x >>> 31);
    }
    const s = this.state;
    let a = word(s, 0);
    let b = word(s, 1);
    let c = word(s, 2);
    let d = word(s, 3);
    let e = word(s, 4);
    for (let i = 0; i < 80; i++) {
      let f: number;
      if (i < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
      else if (i < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
      else if (i < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
      else f = (b ^ c ^ d) + 0xca62c1d6;
      const next = (((a << 5) | (a >>> 27)) + f + e + word(w, i)) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    s[0] = word(s, 0) + a;
    s[1] = word(s, 1) + b;
    s[2] = word(s, 2) + c;
    s[3] = word(s, 3) + d;
    s[4] = word(s, 4) + e;
  }
}

export class Sha256 extends Hash {
  protected readonly state = fractions(8, Math.sqrt);
  readonly #w = new Uint32Array(64);

  protected mix(block: DataView, at: number) {
    const w = this.#w;
    for (let i = 0; i < 16; i++) w[i] = block.getUint32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const x = word(w, i - 15);
      const y = word(w, i - 2);
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = word(w, i - 16) + s0 + word(w, i - 7) + s1;
    }
    const s = this.state;
    let a = word(s, 0);
    let b = word(s, 1);
    let c = word(s, 2);
    let d = word(s, 3);
    let e = word(s, 4);
    let f = word(s, 5);
    let g = word(s, 6);
    let h = word(s, 7);
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + word(rounds, i) + word(w, i)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    s[0] = word(s, 0) + a;
    s[1] = word(s, 1) + b;
    s[2] = word(s, 2) + c;
    s[3] = word(s, 3) + d;
    s[4] = word(s, 4) + e;
    s[5] = word(s, 5) + f;
    s[6] = word(s, 6) + g;
    s[7] = word(s, 7) + h;
  }
}

/** The first 32 bits of the fractions of a root of the first primes: what the
 * standard makes its constants of. */
function fractions(n: number, root: (x: number) => number): Uint32Array {
  const out = new Uint32Array(n);
  for (let found = 0, x = 2; found < n; x++) {
    let prime = true;
    for (let d = 2; d * d <= x; d++) if (x % d === 0) prime = false;
    if (prime) out[found++] = Math.floor((root(x) % 1) * 0x100000000);
  }
  return out;
}

const rounds = fractions(64, Math.cbrt);

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** SHA-256 as hex → the same in base64; "" when it is not one. */
export function hexToBase64(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) return '';
  return base64(Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
}
