/** One build stage: the image it starts from, and its instructions. */
export interface Stage {
  /** of FROM, with build arguments replaced by their defaults */
  readonly image: string;
  /** the values of all instructions with this name, in order */
  all(name: string): readonly string[];
  /** @throws Error unless there is exactly one */
  only(name: string): string;
}

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads as much of a Dockerfile as is needed to hold it to rules: comments, continued lines, stages, arguments of FROM.
 * No heredocs and no parser directives.
 */
export function parseDockerfile(text: string): Stage[] {
  const instructions = parseInstructions(text);
  const starts = instructions.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []));
  const defaults = new Map(
    instructions.slice(0, starts[0]).map(({ value }): [string, string] => {
      const [name = '', ...rest] = value.split('=');
      return [name, rest.join('=')];
    }),
  );
  return starts.map((start, index) => makeStage(instructions.slice(start, starts[index + 1]), defaults));
}

function parseInstructions(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', value = ''] = /^\s*(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), value: value.trim() };
    });
}

function makeStage(
  [from, ...instructions]: readonly Instruction[],
  defaults: ReadonlyMap<string, string>,
): Stage {
  const [reference = ''] = from?.value.split(' ') ?? [];
  const all = (name: string) => instructions.filter((one) => one.name === name).map(({ value }) => value);
  return {
    image: reference.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => defaults.get(name) ?? ''),
    all,
    only(name) {
      const [value, ...others] = all(name);
      if (value === undefined || others.length > 0) throw new Error(`not exactly one ${name} in the stage`);
      return value;
    },
  };
}
