import { parseArgs } from 'node:util';
import { type Name, names } from './contestants.js';

export const usage = `Usage: npm run bench -- [options]

  --rounds N       how often each contestant gets its turn (5)
  --seconds N      length of a turn (2)
  --connections N  kept-alive connections, one request under way on each (16)
  --only LIST      contestants, comma separated: ${names.join(', ')}
  --no-wrk         our own load generator also where wrk is installed
  --json FILE      every sample, for machines
  --profile DIR    have Holdfast write processor profiles there (slows it)
  --check          exit code 1 when a budget is not met
`;

export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** with the floors of those that were asked for */
  readonly only: ReadonlySet<Name>;
  readonly useWrk: boolean;
  readonly json: string | undefined;
  readonly profile: string | undefined;
  readonly check: boolean;
}

/** @returns undefined when help was asked for @throws Error for arguments that mean nothing */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '16' },
      only: { type: 'string', default: names.join(',') },
      'no-wrk': { type: 'boolean', default: false },
      json: { type: 'string' },
      profile: { type: 'string' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    rounds: parseCount('rounds', values.rounds),
    seconds: parseCount('seconds', values.seconds),
    connections: parseCount('connections', values.connections),
    only: parseNames(values.only),
    useWrk: !values['no-wrk'],
    json: values.json,
    profile: values.profile,
    check: values.check,
  };
}

function parseCount(name: string, value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new Error(`--${name} ${value}: expected 1 to 9999`);
  return Number(value);
}

function parseNames(list: string): ReadonlySet<Name> {
  const asked = list.split(',').map((one) => {
    const found = names.find((name) => name === one);
    if (found === undefined) throw new Error(`--only ${one}: expected ${names.join(', ')}`);
    return found;
  });
  const encrypted = (name: Name) => name.endsWith('tls');
  return new Set([...asked, ...asked.map((name): Name => (encrypted(name) ? 'bare-tls' : 'bare'))]);
}
