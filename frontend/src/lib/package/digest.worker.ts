import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base64 } from './digest';
import type { FileMessage } from './file-facts';

/** Bytes of the file in memory at once: large enough to be fast, small for a browser. */
const chunkSize = 4 << 20;

const send = (message: FileMessage) => postMessage(message);

// Not crypto.subtle: browsers have it only on secure pages, and it takes a file
// only as a whole.
addEventListener('message', async ({ data: file }: MessageEvent<File>) => {
  try {
    const digests = { sha1: sha1.create(), sha256: sha256.create() };
    for (let at = 0; at < file.size; at += chunkSize) {
      const chunk = new Uint8Array(await file.slice(at, at + chunkSize).arrayBuffer());
      digests.sha1.update(chunk);
      digests.sha256.update(chunk);
      send({ done: at + chunk.length });
    }
    send({
      facts: {
        size: file.size,
        sha1: base64(digests.sha1.digest()),
        sha256: bytesToHex(digests.sha256.digest()),
      },
    });
  } catch (error) {
    send({ failure: error instanceof Error ? error.message : 'the browser cannot read it' });
  }
});
