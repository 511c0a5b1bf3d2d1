import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasProgram } from '../support/fronts.js';
import { until } from '../support/guarded.js';
import { Child } from '../support/process.js';

/**
 * A service that nobody wrote for this test but its last few lines: the server, and the router where there is one, come
 * from a language or framework that is in use. It answers every request with `Served`, and writes the same to standard
 * output.
 */
export interface LegacyKind {
  readonly name: string;
  /** default: this Node */
  readonly command?: string;
  readonly args: readonly string[];
  /** What it needs besides its command. @returns why it cannot run */
  readonly lacks?: () => string | false;
  /** does not say `listening` as the others do: where its own words name the port */
  readonly listening?: RegExp;
}

/** One request, as the service saw it. */
export interface Served {
  /** what the service ran; `open` for what it keeps from nobody */
  readonly handler: string;
  /** what it took for the path, as far as it decodes */
  readonly path: string;
  readonly method: string;
  readonly target: string;
  /** X-Auth-Subject */
  readonly subject: string | null;
}

const source = (name: string) => fileURLToPath(new URL(`../../../test/services/${name}`, import.meta.url));
const compiled = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Java compiles its service first: seconds, and many where others want the processor, too. */
const patienceMs = 120_000;

/** `.ci/run` has Maven put them there. */
const springClasses = source('spring/target');

export const legacyKinds: readonly LegacyKind[] = [
  { name: 'Node, new URL(req.url)', args: [compiled('node/url.js')] },
  { name: 'Node, which decodes and folds', args: [compiled('node/folding.js')] },
  { name: 'Express', args: [compiled('node/express.js')] },
  { name: 'Python http.server', command: 'python3', args: ['-B', source('python/server.py')] },
  { name: 'wsgiref', command: 'python3', args: ['-B', source('python/wsgi.py')] },
  {
    name: 'gunicorn',
    command: 'gunicorn',
    args: ['--config', source('python/gunicorn.conf.py'), '--chdir', source('python'), 'wsgi:application'],
  },
  {
    name: 'php -S with a front controller',
    command: 'php',
    args: ['-S', '127.0.0.1:0', '-t', source('php/public')],
    listening: /http:\/\/127\.0\.0\.1:(\d+)\) started/,
  },
  {
    name: 'Spring MVC 4 on Tomcat',
    command: 'java',
    // Tiered compilation stops early: it is the start that takes its time.
    args: [
      '-XX:TieredStopAtLevel=1',
      '--source',
      '8',
      '-cp',
      `${springClasses}/*`,
      source('spring/Service.java'),
    ],
    lacks: () => !hasJars(springClasses) && 'no classes of Spring: mvn -f test/services/spring package',
  },
];

/** @returns why the service cannot run on this machine */
export function missing({ command, lacks }: LegacyKind): string | false {
  if (command !== undefined && !hasProgram(command)) return `no ${command} on this machine`;
  return lacks?.() ?? false;
}

/** A process of its own on a port of loopback. */
export class LegacyService {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @throws Error with what the process wrote, when it does not come to listen */
  static async start(kind: LegacyKind): Promise<LegacyService> {
    const { name, command, args } = kind;
    const child = Child.start({ name, args, ...(command && { command }), patienceMs });
    try {
      return new LegacyService(child, await portOf(child, kind));
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** What it served so far, oldest first. */
  get served(): readonly Served[] {
    return this.#child.events.filter(({ event }) => event === 'served').map(readServed);
  }

  /** Waits until it has written down a request to a target. */
  async hasServed(target: string): Promise<void> {
    await this.#child.event((event) => event.event === 'served' && event.target === target);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

async function portOf(child: Child, { name, listening }: LegacyKind): Promise<number> {
  if (listening === undefined) return Number((await child.event(({ event }) => event === 'listening')).port);
  await until(() => child.hasEnded || listening.test(child.text), `${name} listens`);
  const port = listening.exec(child.text)?.[1];
  if (port === undefined) throw new Error(`${name} does not listen: ${child.text}`);
  return Number(port);
}

/** @throws Error when it is none */
export function readServed(value: unknown): Served {
  const { handler, path, method, target, subject } = value as Record<string, unknown>;
  if (typeof handler !== 'string' || typeof path !== 'string') throw new Error(`not served: ${value}`);
  return {
    handler,
    path,
    method: String(method),
    target: String(target),
    subject: subject === null ? null : String(subject),
  };
}

function hasJars(folder: string): boolean {
  try {
    return readdirSync(folder).some((file) => file.endsWith('.jar'));
  } catch {
    return false;
  }
}
