// Joins graph/schema/*.graphql into the file that types and checks are generated
// from. Sorted, so that the output is reproducible.
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
