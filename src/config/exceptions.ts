import type * as z from 'zod';
import { isCidr } from './addresses.js';
import type { ExceptionConfig, IssuerConfig } from './config.js';
import type { Context } from './context.js';
import { isEverything, isPattern, patternLegal } from './patterns.js';
import { choice, list, section, text, wholeSeconds, written } from './scalars.js';

const dayMs = 86_400_000;
const maxDays = 180;

/** A day, or a moment of it. */
export interface Moment {
  readonly written: string;
  readonly startMs: number;
  /** the first ms after it: of the next day, where only a day was written */
  readonly endMs: number;
}

function moment() {
  const legal = 'a date such as 2027-02-28, or a time with its zone such as 2027-02-28T12:00:00Z';
  return written<Moment>({ legal }, /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/, {
    parse: parseMoment,
    format: (value) => value.written,
  });
}

const issuerLegal = 'the issuer of these clients, exactly as in issuers[].issuer';

const exceptionRoute = text(
  `${patternLegal}; an exception needs at least one literal segment`,
  (value) => isPattern(value) && !isEverything(value),
);

const exceptionSchema = section({
  id: text('up to 64 letters, digits, dots, hyphens and underscores', (value) =>
    /^[A-Za-z0-9._-]{1,64}$/.test(value),
  ).describe('Name of the exception in log and metrics.'),
  kind: choice(['bearer'], ['shared-secret', 'assertion-audience']).describe(
    '`bearer`: an unbound token is taken without proof.',
  ),
  owner: text('a person or team and how to reach them').describe('Who answers for it.'),
  reason: text('a text').describe('Why possession cannot be proven yet.'),
  ticket: text('a ticket or its URL').describe('Where the work to end it is tracked.'),
  created: moment().describe(
    'When it was granted. It works from the beginning of that day in UTC, or from that second.',
  ),
  expires: moment().describe(
    `When it stops working: at the end of that day in UTC, or at that second. At most ${maxDays} days after \`created\`.`,
  ),
  issuer: text('an issuer identifier')
    .optional()
    .describe('Whose clients they are. Mandatory as soon as there is more than one issuer.'),
  clients: list(text('a client id without *', isClient), 'a list of at least one client id', 1).describe(
    'Who may use it.',
  ),
  routes: list(exceptionRoute, 'a list of at least one path pattern', 1).describe('For which paths.'),
  sources: list(text('a CIDR such as 203.0.113.0/24, not /0', isCidr), 'a list of CIDRs')
    .prefault([])
    .describe('Where the client may call from. Empty: anywhere.'),
  maxTokenLifetime: wholeSeconds({ min: '1s', max: '24h' })
    .optional()
    .describe('Tokens that live longer are refused.'),
});

export const exceptionsSchema = list(exceptionSchema, 'a list of exceptions');

type ExceptionSettings = z.output<typeof exceptionSchema>;

/**
 * @param issuers - all that are configured; undefined when they have problems of their own
 * @see REQUIREMENTS R01, R05, D21
 */
export function resolveExceptions(
  settings: readonly ExceptionSettings[],
  issuers: readonly IssuerConfig[] | undefined,
  context: Context,
): ExceptionConfig[] {
  return settings.map((exception, index) => {
    const { id, created, expires, maxTokenLifetime, ...rest } = exception;
    const first = settings.findIndex((other) => other.id === id);
    if (first < index)
      context.report.problem(['exceptions', index, 'id'], `the same id as exceptions[${first}]`);
    checkDates(exception, index, context);
    return {
      ...rest,
      id,
      issuer: resolveIssuer(exception, index, { issuers, context }),
      createdAtMs: created.startMs,
      expiresAtMs: expires.endMs,
      maxTokenLifetimeSeconds: maxTokenLifetime,
    };
  });
}

/** @returns the issuer whose clients are meant; the only one where none is written */
function resolveIssuer(
  { issuer }: ExceptionSettings,
  index: number,
  { issuers, context: { report } }: { issuers: readonly IssuerConfig[] | undefined; context: Context },
): string {
  const path = ['exceptions', index, 'issuer'];
  const [only, ...others] = issuers ?? [];
  if (issuer === undefined && others.length > 0) report.illegalOrMissing(path, issuerLegal, false);
  const isUnknown = issuer !== undefined && issuers?.every((one) => one.issuer !== issuer);
  if (isUnknown) report.illegal(path, issuerLegal);
  return issuer ?? only?.issuer ?? '';
}

function checkDates(
  { id, owner, created, expires }: ExceptionSettings,
  index: number,
  { report, nowMs }: Context,
): void {
  const path = ['exceptions', index];
  // Ahead of its time, `created` would carry the longest permitted life as far away as anybody likes. A day of grace
  // is for those east of UTC, and does not make it begin earlier.
  if (created.startMs > nowMs + dayMs)
    report.illegal([...path, 'created'], 'a day that is not in the future');
  else if (created.startMs > nowMs)
    report.warn([...path, 'created'], `${id} of ${owner} lets nothing pass before ${created.written}`);
  if (expires.startMs < created.startMs)
    report.illegal([...path, 'expires'], 'a day that is not before created');
  if (expires.startMs > created.startMs + maxDays * dayMs) {
    report.illegal([...path, 'expires'], `at most ${maxDays} days after created`);
  }
  if (expires.endMs <= nowMs)
    report.warn([...path, 'expires'], `${id} of ${owner} has expired and lets nothing pass; remove it`);
}

function parseMoment(value: string): Moment | undefined {
  const startMs = Date.parse(value);
  const day = value.slice(0, 10);
  // Date.parse reads 2027-02-30 as a day of March.
  if (Number.isNaN(startMs) || new Date(Date.parse(day)).toISOString().slice(0, 10) !== day) return undefined;
  return { written: value, startMs, endMs: value === day ? startMs + dayMs : startMs };
}

function isClient(value: string): boolean {
  return value !== '' && !value.includes('*');
}
