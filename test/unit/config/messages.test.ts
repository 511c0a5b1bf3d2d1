import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConfigError } from '#holdfast/config/problems.js';
import { writeJsonSchema } from '#holdfast/config/reference.js';
import { Workspace, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Every place where something can be written. */
function places(schema: JsonSchema): (string | number)[][] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    [name],
    ...places(child).map((rest) => [name, ...rest]),
  ]);
  const listed = schema.items === undefined ? [] : [[0], ...places(schema.items).map((rest) => [0, ...rest])];
  return [...named, ...listed, ...(schema.anyOf ?? []).flatMap(places)];
}

function put(target: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const inner = Object(target);
  if (typeof step === 'number') return [put(Array.isArray(target) ? target[0] : undefined, rest, value)];
  return { ...(Array.isArray(target) ? {} : inner), [step]: put(inner[step], rest, value) };
}

const rubbish = [null, true, -1, 1.5, '\u0000', [], { x: 1 }];

const ours = [
  /^required; (?:expected |certificate and key go together)/,
  / is not allowed; expected (?!string|number|object|array)/,
  / is not allowed as a name; expected /,
  /^unknown option; (?:did you mean|expected one of) /,
  /^not supported by this version$/,
  /^cannot be enforced on a public route/,
  /^has no effect /,
  /^the file /,
  /^the same /,
];

for (const path of places(JSON.parse(writeJsonSchema()))) {
  test(`DESIGN 2: whatever is written at ${path.join('.')}, a problem says what is legal`, () => {
    const base: unknown = JSON.parse(withOptions({}));
    let refused = 0;
    for (const value of rubbish) {
      const text = JSON.stringify(put(base, path, value));
      try {
        workspace.load(text);
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        refused++;
        for (const { message } of error.problems) {
          assert.ok(
            ours.some((pattern) => pattern.test(message)),
            `${text}: ${message}`,
          );
        }
      }
    }
    assert.ok(refused > 0, 'everything was accepted');
  });
}
