// Writes the texts that the search of the site looks through: one entry for each heading.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const plain = (html) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim();

/** Writes search.json: entries with page, heading, address and text. */
export function searchIndex(results, output) {
  const entries = [];
  for (const { url, content } of results) {
    if (typeof content !== 'string') continue;
    const body = /<article[^>]*>([\s\S]*)<\/article>/.exec(content)?.[1];
    if (body === undefined) continue;
    const parts = body.split(/(?=<h[1-3] id=)/);
    const page = plain(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(body)?.[1] ?? '');
    for (const part of parts) {
      const heading = /^<h([1-3]) id="([^"]+)"[^>]*>([\s\S]*?)<\/h\1>/.exec(part);
      if (!heading) continue;
      const address = '/docs' + url.replace(/\.html$/, '').replace(/\/index$/, '/');
      entries.push({
        id: entries.length,
        page,
        heading: plain(heading[3]),
        address: heading[1] === '1' ? address : `${address}#${heading[2]}`,
        text: plain(part.slice(heading[0].length)),
      });
    }
  }
  writeFileSync(join(output, 'search.json'), JSON.stringify(entries));
}
