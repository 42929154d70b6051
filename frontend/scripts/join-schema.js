// Joins graph/schema/*.graphql into the file that types and checks are generated
// from, and writes the role that each field needs. Sorted, so that the output is
// reproducible.
import { buildSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../../graph/schema/', import.meta.url);
const text = readdirSync(folder)
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');

const schema = lexicographicSortSchema(buildSchema(text));
writeFileSync(new URL('../src/lib/api/schema.graphql', import.meta.url), printSchema(schema) + '\n');

/** The role in the directive @needs of a field; undefined without it. */
const roleOf = (field) =>
  field.astNode?.directives?.find(({ name }) => name.value === 'needs')?.arguments?.[0]?.value.value;
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
const needs = roots
  .flatMap((root) => Object.values(root?.getFields() ?? {}))
  .flatMap((field) => (roleOf(field) ? [[field.name, roleOf(field)]] : []))
  .sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(
  new URL('../src/lib/api/needs.json', import.meta.url),
  JSON.stringify(Object.fromEntries(needs), null, 2) + '\n',
);
