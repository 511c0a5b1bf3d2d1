import * as z from 'zod';
import type { Path } from './path.js';

/**
 * The schemas that describe one place, without the wrappers that say whether it may be absent: several where the
 * language has alternatives.
 */
export function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault)
    return alternatives(schema.def.innerType);
  if (schema instanceof z.ZodPipe) return alternatives(schema.def.in);
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(alternatives);
  return [schema];
}

/** @returns the schemas of an option; none when there is no such option */
export function schemasAt(root: z.core.$ZodType, path: Path): z.core.$ZodType[] {
  return path.reduce<z.core.$ZodType[]>(
    (schemas, step) => schemas.flatMap((schema) => children(schema, step)),
    [root],
  );
}

function children(schema: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  return alternatives(schema).flatMap((one) => {
    if (one instanceof z.ZodArray) return typeof step === 'number' ? [one.def.element] : [];
    if (one instanceof z.ZodRecord) return [one.def.valueType];
    const child = one instanceof z.ZodObject ? one.def.shape[step] : undefined;
    return child === undefined ? [] : [child];
  });
}

/** The option names that a mapping at this place may have. */
export function knownKeys(root: z.core.$ZodType, path: Path): string[] {
  return schemasAt(root, path)
    .flatMap(alternatives)
    .flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.def.shape) : []));
}

/** What the schema, or the one that it wraps, says about itself. */
export function notes(schema: z.core.$ZodType): z.core.GlobalMeta {
  const own = z.globalRegistry.get(schema);
  if (own?.legal !== undefined) return own;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault)
    return { ...notes(schema.def.innerType), ...own };
  return own ?? {};
}
