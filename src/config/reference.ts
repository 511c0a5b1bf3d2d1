import * as z from 'zod';
import { writeYaml } from './effective.js';
import { configSchema } from './schema.js';
import { alternatives, notes } from './schema-tree.js';

type Schema = z.core.$ZodType;

/** One option, as the reference page shows it. */
interface Row {
  readonly path: string;
  readonly type: string;
  readonly fallback: string;
  readonly legal: string;
  readonly doc: string;
}

const introduction = `# Configuration reference

Generated from the schema that loads the file (\`npm run docs\`); \`docs/holdfast.schema.json\` is the same for editors.

- One YAML 1.2 file (JSON is YAML too). Every problem is reported at once, with line, value and legal range; the exit code is 2.
- An option that is unknown, misspelt or given twice is a problem. So is one that this version does not support.
- Durations: \`500ms\`, \`30s\`, \`5m\`, \`1h\`. Sizes: \`512B\`, \`16KiB\`, \`1MiB\`. Both are whole numbers with a unit.
- \`\${NAME}\` in a value is replaced from the environment; a variable that is not set is a problem. Quote such a value inside \`{ }\` and \`[ ]\`.
- Secrets are given as names of files. A relative name is relative to the configuration file.
- \`holdfast check --config FILE\` prints the effective configuration, every default written out.

The least that works:

\`\`\`yaml
listen:
  origins: [https://orders.example.com]
  tls: { certificate: /tls/tls.crt, key: /tls/tls.key }
upstream: http://127.0.0.1:8080
issuers:
  - issuer: https://login.example.com
    audience: https://orders.example.com
\`\`\`
`;

/** @returns the reference page: a section of the language each, with its defaults and a table of its options */
export function writeReference(): string {
  const sections = Object.entries(configSchema.shape).map(([name, schema]) => {
    const defaults = writeYaml({ [name]: defaultsOf(schema) });
    const required = defaultOf(schema) === undefined ? ' Required.' : '';
    return `## ${name}\n\n${describe(schema)}${required}\n\n\`\`\`yaml\n${defaults}\`\`\`\n\n${writeTable(alternatives(schema).flatMap((option) => childRows(name, option)))}`;
  });
  return [introduction, ...sections].join('\n');
}

/** @returns the JSON Schema (draft 2020-12) of what an operator may write */
export function writeJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const { legal } = notes(zodSchema);
      for (const own of ['legal', 'unit', 'secret']) delete jsonSchema[own];
      const doc = describe(zodSchema);
      if (doc !== '' && legal !== undefined) jsonSchema.description = `${doc} Legal: ${legal}.`;
    },
  });
  const upstream = schema.properties?.upstream;
  const properties = {
    ...schema.properties,
    upstream: { anyOf: [{ type: 'string', format: 'uri' }, upstream] },
  };
  return `${JSON.stringify({ $schema, title: 'Holdfast configuration', ...schema, properties }, null, 2)}\n`;
}

function rowsOf(path: string, schema: Schema): Row[] {
  const options = alternatives(schema);
  const isGroup = options.length === 1 && options[0] instanceof z.ZodObject && describe(schema) === '';
  const own = isGroup ? [] : [rowOf(path, schema)];
  const below = options.flatMap((option) => childRows(path, option));
  // What is required in one of several forms is not required where another form is used.
  return [
    ...own,
    ...(options.length > 1 ? below.map((row) => ({ ...row, fallback: 'in this form' })) : below),
  ];
}

function childRows(path: string, schema: Schema): Row[] {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, Schema>> = schema.def.shape;
    return Object.entries(shape).flatMap(([name, child]) => rowsOf(`${path}.${name}`, child));
  }
  if (!(schema instanceof z.ZodArray)) return [];
  return alternatives(schema.def.element)
    .filter((element) => element instanceof z.ZodObject)
    .flatMap((element) => childRows(`${path}[]`, element));
}

function rowOf(path: string, schema: Schema): Row {
  return {
    path,
    type: typeOf(schema),
    fallback: fallbackOf(schema),
    legal: legalOf(schema),
    doc: describe(schema),
  };
}

function legalOf(schema: Schema): string {
  const { legal = '' } = notes(schema);
  const [option] = alternatives(schema);
  const each = option instanceof z.ZodArray ? notes(option.def.element).legal : undefined;
  return each === undefined ? legal : `${legal}, each ${each}`;
}

function describe(schema: Schema): string {
  return z.globalRegistry.get(schema)?.description ?? '';
}

function typeOf(schema: Schema): string {
  const { unit } = notes(schema);
  if (unit !== undefined) return unit;
  return [...new Set(alternatives(schema).map(wordFor))].join(' or ');
}

function wordFor(schema: Schema): string {
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return 'mapping';
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodBoolean || schema instanceof z.ZodLiteral) return 'boolean';
  if (schema instanceof z.ZodNumber) return 'integer';
  return schema instanceof z.ZodEnum ? 'word' : 'text';
}

function fallbackOf(schema: Schema): string {
  const value = defaultOf(schema);
  if (value === undefined) return schema instanceof z.ZodOptional ? 'absent' : '**required**';
  const isTable =
    typeof value === 'object' && !Array.isArray(value) && value !== null && Object.keys(value).length > 0;
  return isTable ? 'as above' : `\`${writeYaml(value).trimEnd()}\``;
}

function defaultOf(schema: Schema): unknown {
  return schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;
}

// What the section is when only the required options are given.
function defaultsOf(schema: Schema): unknown {
  const [option] = alternatives(schema);
  if (option instanceof z.ZodObject) {
    const shape: Readonly<Record<string, Schema>> = option.def.shape;
    const entries = Object.entries(shape).filter(([, child]) => !(child instanceof z.ZodOptional));
    return Object.fromEntries(entries.map(([name, child]) => [name, defaultsOf(child)]));
  }
  const value = defaultOf(schema);
  if (option instanceof z.ZodArray && alternatives(option.def.element)[0] instanceof z.ZodObject) {
    return [defaultsOf(option.def.element)];
  }
  return value === undefined ? 'REQUIRED' : value;
}

function writeTable(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ path, type, fallback, legal, doc }) => `| \`${path}\` | ${type} | ${fallback} | ${legal} | ${doc} |`,
  );
  return [
    '| Option | Type | Default | Legal | Meaning |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}
