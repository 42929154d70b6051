import { base64, hex, Sha1, Sha256 } from './hash';
import type { FileNews } from './file-facts';

/** Bytes in memory at a time: large enough to be quick, small for a browser. */
const piece = 4 << 20;

const tell = (news: FileNews) => postMessage(news);

addEventListener('message', async ({ data: file }: MessageEvent<File>) => {
  try {
    const sha1 = new Sha1();
    const sha256 = new Sha256();
    for (let at = 0; at < file.size; at += piece) {
      const bytes = new Uint8Array(await file.slice(at, at + piece).arrayBuffer());
      sha1.update(bytes);
      sha256.update(bytes);
      tell({ done: at + bytes.length });
    }
    tell({ facts: { size: file.size, sha1: base64(sha1.digest()), sha256: hex(sha256.digest()) } });
  } catch (error) {
    tell({ failure: error instanceof Error ? error.message : 'it cannot be read' });
  }
});
