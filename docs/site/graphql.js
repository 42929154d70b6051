// Makes the reference of the GraphQL API from the schema, whose descriptions are the manual.
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isUnionType,
} from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';

const roots = { Query: 'Queries', Mutation: 'Mutations', Subscription: 'Subscriptions' };

/** Returns the page as Markdown. */
export function graphqlPage(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  const schema = buildSchema(files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n'));
  const types = Object.values(schema.getTypeMap()).filter(
    (t) => !t.name.startsWith('__') && !(t.name in roots) && !(isScalarType(t) && !t.description),
  );
  const lines = [
    '# GraphQL reference',
    '',
    'Every field of the API, made from the schema. [How to call it](api.md) is on a page of its own; “needs” is the permission that a caller must have.',
  ];
  for (const [root, title] of Object.entries(roots)) {
    lines.push('', `## ${title}`);
    for (const field of sorted(schema.getType(root).getFields())) lines.push(...fieldOf(field));
  }
  const kinds = [
    ['Objects', (t) => isObjectType(t) || isInterfaceType(t)],
    ['Inputs', isInputObjectType],
    ['Enums', isEnumType],
    ['Unions', isUnionType],
    ['Scalars', isScalarType],
  ];
  for (const [title, is] of kinds) {
    const of = types.filter(is).sort((a, b) => a.name.localeCompare(b.name));
    if (of.length) lines.push('', `## ${title}`);
    for (const type of of) lines.push(...typeOf(type));
  }
  return lines.join('\n') + '\n';
}

const sorted = (fields) => Object.values(fields).sort((a, b) => a.name.localeCompare(b.name));

const text = (description) => (description ?? '').trim().replaceAll('|', '\\|').replaceAll('<', '&lt;');

const cell = (description) => text(description).replace(/\s*\n\s*/g, ' ');

/** Which permission a field needs, from its directive @needs. */
function needs(field) {
  const directive = field.astNode?.directives?.find((d) => d.name.value === 'needs');
  const values = directive?.arguments.map(
    (a) => a.value.value ?? a.value.values?.map((v) => v.value).join(', '),
  );
  return values?.length ? `needs ${values.join(', ')}` : '';
}

function fieldOf(field) {
  const lines = [
    '',
    `### ${field.name}`,
    '',
    `\`${field.name}: ${field.type}\`${needs(field) && `, ${needs(field)}`}`,
  ];
  if (field.description) lines.push('', text(field.description));
  if (field.deprecationReason) lines.push('', `Deprecated: ${text(field.deprecationReason)}`);
  if (field.args.length) lines.push('', '| Argument | Type | |', '|---|---|---|', ...field.args.map(row));
  return lines;
}

const row = (v) =>
  `| \`${v.name}\` | \`${v.type}\` | ${cell(v.description)}${v.defaultValue === undefined ? '' : ` Default: \`${JSON.stringify(v.defaultValue)}\`.`} |`;

function typeOf(type) {
  const lines = ['', `### ${type.name}`];
  if (type.description) lines.push('', text(type.description));
  if (isEnumType(type))
    lines.push(
      '',
      '| Value | |',
      '|---|---|',
      ...type.getValues().map((v) => `| \`${v.name}\` | ${cell(v.description)} |`),
    );
  else if (isUnionType(type))
    lines.push(
      '',
      `One of ${type
        .getTypes()
        .map((t) => `[${t.name}](#${t.name.toLowerCase()})`)
        .join(', ')}.`,
    );
  else if (!isScalarType(type)) {
    lines.push('', '| Field | Type | |', '|---|---|---|');
    for (const f of sorted(type.getFields())) {
      const args = f.args?.length ? `(${f.args.map((a) => a.name).join(', ')})` : '';
      lines.push(
        `| \`${f.name}${args}\` | \`${f.type}\` | ${[cell(f.description), needs(f)].filter(Boolean).join(' ')} |`,
      );
    }
  }
  return lines;
}
