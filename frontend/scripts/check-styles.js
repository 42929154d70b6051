// Checks that spacing, radii and font sizes use the tokens of src/app.css.
import { readdirSync, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const spacing = /^(padding|margin|gap|row-gap|column-gap|inset|scroll-margin)/;
const tokenised = /^(border-radius|font-size)$/;

/** The declarations of a style sheet that do not use a token. 1 px is allowed, for lines. */
export function problems(css) {
  const found = [];
  const bare = css.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  for (const [, property, value] of bare.matchAll(/([a-z-]+):\s*([^;{}]+);/g)) {
    if (!spacing.test(property) && !tokenised.test(property)) continue;
    const literal = /(?<![\w.-])-?(\d*\.?\d+)(px|rem|em)\b/.exec(value);
    if (literal && Number(literal[1]) !== 0 && !(literal[1] === '1' && literal[2] === 'px'))
      found.push(`${property}: ${value}`);
  }
  return found;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const source = new URL('../src/', import.meta.url);
  const files = readdirSync(source, { recursive: true }).filter((name) => /\.(css|svelte)$/.test(name));
  let failed = false;
  for (const name of files) {
    const text = readFileSync(new URL(name, source), 'utf8');
    for (const problem of problems(name.endsWith('.css') ? text : (text.split('<style>')[1] ?? ''))) {
      failed = true;
      console.error(`src/${name}: ${problem}: use a token of app.css`);
    }
  }
  console.log(`styles of ${files.length} files checked`);
  process.exitCode = failed ? 1 : 0;
}
