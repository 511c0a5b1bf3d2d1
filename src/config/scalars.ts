import * as z from 'zod';

/**
 * The vocabulary of the language. Every schema carries one sentence about what is legal, which is at once the text of
 * its problems and the column of the reference page, so that no message of the schema library ever reaches an operator.
 */
export interface OptionNotes {
  /** what is legal: completes `expected …` */
  readonly legal: string;
  readonly unit?: string;
  /** the value is never shown in a problem */
  readonly secret?: boolean;
}

declare module 'zod' {
  // What the schemas of this room carry beside `description`.
  interface GlobalMeta {
    legal?: string;
    unit?: string;
    secret?: boolean;
  }
}

/** A mapping with these keys and no other. */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: 'a mapping of options' });
}

/** A text for which `test` holds. */
export function text(legal: string, test: (value: string) => boolean = (value) => value !== ''): z.ZodString {
  return z.string({ error: legal }).refine(test, { error: legal, abort: true }).meta({ legal });
}

/** A text that stands for a value of another type; `format` gives the canonical text back. */
export function written<T>(
  notes: OptionNotes,
  pattern: RegExp,
  { parse, format }: { parse: (text: string) => T | undefined; format: (value: T) => string },
): z.ZodCodec<z.ZodString, z.ZodCustom<T, T>> {
  const { legal } = notes;
  const codec = z.codec(
    z.string({ error: legal }).regex(pattern, { error: legal, abort: true }),
    z.custom<T>(),
    {
      decode(value, context) {
        const parsed = parse(value);
        if (parsed !== undefined) return parsed;
        context.issues.push({ code: 'custom', message: legal, input: value });
        return z.NEVER;
      },
      encode: format,
    },
  );
  return codec.meta({ ...notes });
}

const durationUnits = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const sizeUnits = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
] as const;

interface Range {
  readonly min: string;
  readonly max: string;
  /** whether `unlimited` may be written; it is loaded as Infinity */
  readonly unlimited?: boolean;
}

type Written = z.ZodCodec<z.ZodString, z.ZodCustom<number, number>>;

/** A length of time, loaded as milliseconds. */
export function duration(range: Range): Written {
  const legal = `a duration such as 500ms, 30s, 5m or 1h, ${describeRange(range)}`;
  return quantity({ legal, unit: 'duration' }, durationUnits, range);
}

/** The same in whole seconds, the unit of JWT times; loaded as seconds. */
export function wholeSeconds(range: Range): Written {
  const legal = `a duration in whole seconds such as 30s or 5m, ${describeRange(range)}`;
  return quantity({ legal, unit: 'duration' }, durationUnits.slice(0, 3), range, 1000);
}

/** A number of bytes. */
export function size(range: Range): Written {
  return quantity(
    { legal: `a size such as 512B, 16KiB or 1MiB, ${describeRange(range)}`, unit: 'size' },
    sizeUnits,
    range,
  );
}

type Units = readonly (readonly [suffix: string, factor: number])[];

function quantity(
  notes: OptionNotes,
  units: Units,
  { min, max, unlimited = false }: Range,
  per = 1,
): Written {
  const number = `(?:0|[1-9][0-9]{0,9})(?:${units.map(([suffix]) => suffix).join('|')})`;
  const pattern = new RegExp(unlimited ? `^(?:${number}|unlimited)$` : `^${number}$`);
  const low = parseQuantity(min, units);
  const high = parseQuantity(max, units);
  return written(notes, pattern, {
    parse(value) {
      if (value === 'unlimited') return Number.POSITIVE_INFINITY;
      const amount = parseQuantity(value, units);
      return amount >= low && amount <= high ? amount / per : undefined;
    },
    format: (value) =>
      value === Number.POSITIVE_INFINITY ? 'unlimited' : formatQuantity(value * per, units),
  });
}

function parseQuantity(value: string, units: Units): number {
  const digits = Number.parseInt(value, 10);
  const factor = units.find(([suffix]) => value === `${digits}${suffix}`)?.[1];
  return factor === undefined ? Number.NaN : digits * factor;
}

// The largest unit that leaves a whole number; one minute is written as 60s, as people do.
function formatQuantity(amount: number, units: Units): string {
  const fits = ([suffix, each]: Units[number]) =>
    amount !== 0 && amount % each === 0 && !(suffix === 'm' && amount === each);
  const [suffix, factor] = units.find(fits) ?? units.at(-1) ?? ['', 1];
  return `${amount / factor}${suffix}`;
}

function describeRange({ min, max, unlimited = false }: Range): string {
  return `from ${min} to ${max}${unlimited ? ', or unlimited' : ''}`;
}

export function integer(min: number, max: number): z.ZodInt {
  const legal = `a whole number from ${min} to ${max}`;
  return z.int({ error: legal }).min(min, { error: legal }).max(max, { error: legal }).meta({ legal });
}

export function flag(): z.ZodBoolean {
  const legal = 'true or false';
  return z.boolean({ error: legal }).meta({ legal });
}

/** One of a closed set of words. `later`: words of the language that this version refuses by name. */
export function choice<const Words extends readonly string[]>(
  words: Words,
  later: readonly string[] = [],
): z.ZodEnum<{ [Word in Words[number]]: Word }> {
  const refused = later.length === 0 ? '' : ` (${later.join(', ')}: not supported by this version)`;
  const legal = listWords(words) + refused;
  return z.enum(words, { error: legal }).meta({ legal });
}

/** A choice that has `off` among its words, where `false` is taken for it. */
export function choiceOrOff<const Words extends readonly string[]>(words: Words) {
  const legal = listWords(words);
  const named = choice(words);
  return z
    .codec(z.union([named, z.literal(false, { error: legal })], { error: legal }), named, {
      // A YAML 1.1 editor may have written `off` as the boolean it meant there.
      decode: (value) => (value === false ? 'off' : value) as z.output<typeof named>,
      encode: (value) => value,
    })
    .meta({ legal });
}

export function list<Element extends z.ZodType>(
  element: Element,
  legal: string,
  min = 0,
): z.ZodArray<Element> {
  return z.array(element, { error: legal }).min(min, { error: legal }).meta({ legal });
}

/** A list, or its only element; loaded as a list with at least one element. */
export function oneOrMore(legal: string) {
  const element = text(legal);
  return z
    .codec(z.union([element, list(element, legal, 1)], { error: legal }), z.array(z.string()), {
      decode: (value) => (typeof value === 'string' ? [value] : value),
      encode: (value) => value,
    })
    .meta({ legal });
}

/** The name of a file, read once at the start; a relative one is relative to the configuration file. */
export function file(what: string, { secret = false } = {}): z.ZodString {
  const legal = `the name of a readable file: ${what}`;
  return z.string({ error: legal }).min(1, { error: legal }).meta({ legal, secret });
}

export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
