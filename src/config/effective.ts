import { Document, isScalar, visit } from 'yaml';
import * as z from 'zod';
import { sha256Base64url } from '../support/digest.js';
import type { Config } from './config.js';
import type { Path } from './path.js';
import { configSchema } from './schema.js';
import type { Source } from './source.js';

export interface Effective {
  /** the configuration with every default written out, itself a configuration file; values from the environment appear as they were written */
  readonly policy: string;
  /** 12 characters of the SHA-256 of the effective configuration: equal on replicas that enforce the same */
  readonly hash: string;
}

/**
 * Describes what is enforced. Holds no secret: the language takes those as file names, and values from the environment
 * are shown as the reference that was written.
 */
export function describeEffective(
  settings: z.output<typeof configSchema>,
  { listen }: Config,
  source: Source,
): Effective {
  const written = z.encode(configSchema, {
    ...settings,
    listen: { ...settings.listen, resource: listen.resource },
  });
  return {
    policy: writeYaml(withReferences(written, [], source)),
    hash: sha256Base64url(JSON.stringify(written)).slice(0, 12),
  };
}

function withReferences(value: unknown, path: Path, source: Source): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withReferences(item, [...path, index], source));
  if (typeof value !== 'object' || value === null) return source.referenceAt(path) ?? value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withReferences(item, [...path, name], source)]),
  );
}

/** Lists of words take one line each, everything else is indented. */
export function writeYaml(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every(isScalar);
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
