// Checks the tiers of src: an area imports only from its own tier and from lower
// tiers, and there are no import cycles between areas.
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const shared = ['ui', 'chart']; // for any application
const base = ['api', 'paths', 'form', 'lazy']; // the API, the addresses, shared parts of forms, lazy loading
const views = ['command', 'frame', 'pages']; // compose all others

/** The tier of an area. All areas that are not listed above are domain objects, tier 2. */
const tierOf = (area) => (shared.includes(area) ? 0 : base.includes(area) ? 1 : views.includes(area) ? 3 : 2);

/** "lib/group/state.ts" → "group". Files outside src/lib belong to "pages". */
const areaOf = (path) => (path.startsWith('lib/') ? path.split('/')[1].split('.')[0] : 'pages');

/** The forbidden imports of files, which are given as [path below src, text]. */
export function problems(files) {
  const found = [];
  /** Area → area it imports → a file that does so. */
  const imports = new Map();
  for (const [file, text] of files) {
    const from = areaOf(file);
    for (const [, start, rest] of text.matchAll(/(?:from|import)\s*\(?\s*'(\$lib\/|\.{1,2}\/)([^']+)'/g)) {
      const to = areaOf(start === '$lib/' ? `lib/${rest}` : posix.join(posix.dirname(file), start, rest));
      if (from === to) continue;
      if (tierOf(to) > tierOf(from)) found.push(`${file}: ${from} must not import ${to}, a tier above it`);
      else imports.set(from, (imports.get(from) ?? new Map()).set(to, file));
    }
  }
  for (const cycle of cycles(imports)) {
    const steps = cycle.map((area, i) => `${area} (${imports.get(area).get(cycle[i + 1] ?? cycle[0])})`);
    found.push(`import cycle: ${steps.join(' → ')} → ${cycle[0]}`);
  }
  return found;
}

/** Every import cycle once, starting with the area that sorts first. */
function cycles(imports) {
  const found = new Map();
  const walk = (path) => {
    for (const next of imports.get(path.at(-1))?.keys() ?? []) {
      if (next === path[0]) found.set(path.join(' '), path);
      else if (next > path[0] && !path.includes(next)) walk([...path, next]);
    }
  };
  for (const area of imports.keys()) walk([area]);
  return [...found.values()];
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const source = new URL('../src/', import.meta.url);
  const files = readdirSync(source, { recursive: true })
    .filter((name) => /\.(ts|svelte)$/.test(name) && !/\.test\.ts$/.test(name))
    .map((name) => [name, readFileSync(new URL(name, source), 'utf8')]);
  const found = problems(files);
  for (const problem of found) console.error(problem);
  console.log(`imports of ${files.length} files checked`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
