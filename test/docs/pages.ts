import { writeJsonSchema, writeReference } from '#holdfast/config/reference.js';
import { writeReasons } from './reasons.js';

/** Where the generated pages belong. */
export const docsDirectory = new URL('../../../docs/', import.meta.url);

/** Everything in `docs/` that is generated: file name and content. */
export const pages: ReadonlyMap<string, () => string> = new Map([
  ['holdfast.schema.json', writeJsonSchema],
  ['configuration.md', writeReference],
  ['reasons.md', writeReasons],
]);
