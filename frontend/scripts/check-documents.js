// Validates every graphql`...` literal of src/ against the schema. Type checking is
// not enough: the type of a misspelt field is only `unknown`.
import { buildSchema, parse, specifiedRules, NoUnusedFragmentsRule, validate, concatAST } from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';

const source = new URL('../src/', import.meta.url);
const schema = buildSchema(readFileSync(new URL('lib/api/schema.graphql', source), 'utf8'));

const documents = readdirSync(source, { recursive: true })
  .filter((name) => /\.(ts|svelte)$/.test(name))
  .flatMap((name) => {
    const text = readFileSync(new URL(name, source), 'utf8');
    return [...text.matchAll(/graphql\(\s*`([^`]+)`/g)].map((match) => ({ name, ast: parse(match[1]) }));
  });

const isFragment = (definition) => definition.kind === 'FragmentDefinition';
const fragments = new Map(
  documents.flatMap(({ ast }) => ast.definitions.filter(isFragment).map((f) => [f.name.value, f])),
);

/** The fragments a document spreads, directly or through others. */
function spread(text, found = new Set()) {
  for (const [, name] of JSON.stringify(text).matchAll(
    /"kind":"FragmentSpread","name":\{"kind":"Name","value":"(\w+)"/g,
  )) {
    if (!found.has(name) && fragments.has(name)) spread(fragments.get(name), found.add(name));
  }
  return found;
}

let failed = false;
for (const { name, ast } of documents) {
  const own = new Set(ast.definitions.filter(isFragment).map((f) => f.name.value));
  const others = [...spread(ast)].filter((f) => !own.has(f)).map((f) => fragments.get(f));
  const whole = concatAST([ast, { kind: 'Document', definitions: others }]);
  const rules = specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule);
  for (const error of validate(schema, whole, rules)) {
    failed = true;
    console.error(`src/${name}: ${error.message}`);
  }
}
console.log(`${documents.length} documents checked`);
process.exit(failed || documents.length === 0 ? 1 : 0);
