export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** A SHA-256 digest in hexadecimal → the same in base64; "" if it is not one. */
export function hexToBase64(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) return '';
  return base64(Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
}
