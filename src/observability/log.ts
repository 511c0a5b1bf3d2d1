import { pino } from 'pino';
import { Denial } from '../denial/denial.js';
import type { Fault } from '../denial/fault.js';
import type { VerifiedToken } from '../token/verified-token.js';
import { maskTokens } from './masking.js';
import type { Output } from './output.js';
import type { RequestRecord, SentLine } from './request-record.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface EventFields {
  readonly detail?: string | undefined;
  readonly [name: string]: unknown;
}

/** What the rest of the product says to operators. One JSON line an event, on stdout. */
export interface Log {
  request(record: RequestRecord): void;
  info(event: string, fields?: EventFields): void;
  warn(event: string, fields?: EventFields): void;
  error(event: string, fields?: EventFields): void;
  /** lines that could not be written, since the start */
  readonly lostLines: number;
  /** Holds when what was said so far is written or lost, after a second at most. Before the process ends. */
  flush(): Promise<void>;
}

const maxTextCharacters = 512;

/** @see REQUIREMENTS S01, S02, S16 */
export function createLog(level: LogLevel, output: Output): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
      formatters: { level: (label) => ({ level: label }) },
    },
    output,
  );
  return {
    request: (record) => {
      if (logger.isLevelEnabled('info')) output.write(writeLine(record));
    },
    info: (event, fields = {}) => logger.info(masked(fields), event),
    warn: (event, fields = {}) => logger.warn(masked(fields), event),
    error: (event, fields = {}) => logger.error(masked(fields), event),
    get lostLines() {
      return output.lostLines;
    },
    flush: () => output.flush(),
  };
}

/**
 * The one event of a request, as a line. Put together from its members, of which most need no escaping, rather than
 * by pino, which costs four times as much for a line of so many, or by JSON.stringify, which costs twice as much.
 *
 * Of the caller's secrets only digests: never a token, proof, cookie or query string; of what the caller wrote only
 * bounded text, without what looks like a token (masking.ts), which `quote` escapes.
 */
function writeLine(record: RequestRecord): string {
  const { facts, token, cause, route } = record;
  let line = `{"level":"info","time":"${new Date().toISOString()}","event":"request"`;
  line += `,"request_id":${quote(maskTokens(record.requestId))}`;
  if (route !== undefined) line += `,"route":${quote(route.path)}`;
  if (facts !== undefined)
    line += `,"method":${quote(facts.method)},"path":${quote(bounded(facts.target.rawPath))}`;
  else if (record.sent !== undefined) line += describeSent(record.sent);
  line += `,"status":${record.status},"outcome":"${record.outcome}"`;
  if (cause !== undefined) line += describeCause(cause);
  if (token !== undefined) line += describeToken(token);
  if (record.proof !== undefined) line += `,"proof":"${record.proof}"`;
  if (record.key !== undefined) line += `,"key":${quote(record.key)}`;
  if (record.exception !== undefined) line += `,"exception":${quote(record.exception)}`;
  // Of the client where a trusted front tells it, else of the peer.
  line += `,"remote_address":${quote(facts?.remoteAddress || record.remoteAddress)},"duration_ms":${round(record.durationMs)}`;
  if (record.gateMs !== undefined) line += `,"gate_ms":${round(record.gateMs)}`;
  if (record.upstreamMs !== undefined) line += `,"upstream_ms":${round(record.upstreamMs)}`;
  return `${line}}\n`;
}

/** In any other form than that of a path a target may hold user information. */
function describeSent({ method, target }: SentLine): string {
  const members = `,"method":${quote(bounded(method))}`;
  return target.startsWith('/')
    ? `${members},"path":${quote(bounded(target.split(/[?#]/, 1)[0] ?? ''))}`
    : members;
}

function describeCause(cause: Denial | Fault): string {
  const { detail, entry } = cause;
  let members = `,"reason":"${cause instanceof Denial ? cause.reason : cause.code}"`;
  if (detail !== undefined) members += `,"detail":${quote(bounded(detail, maxTextCharacters * 2))}`;
  const stack = entry.status === 500 ? stackOf(cause.cause) : undefined;
  return stack === undefined ? members : `${members},"error":${quote(maskTokens(stack))}`;
}

function describeToken({ issuer, clientId, logNames: { subject, token } }: VerifiedToken): string {
  // The issuer is a value of the configuration, whoever wrote the token.
  const members = `,"issuer":${quote(issuer)},"client":${quote(bounded(clientId))}`;
  const named = subject === undefined ? members : `${members},"subject":"${subject}"`;
  return token === undefined ? named : `${named},"token":"${token}"`;
}

/** What went wrong may tell what a peer has sent. */
function masked(fields: EventFields): object {
  return fields.detail === undefined ? fields : { ...fields, detail: maskTokens(fields.detail) };
}

const quote: (text: string) => string = JSON.stringify;

/** Masked before it is cut: what is left of a token would no longer look like one. */
function bounded(text: string, maxCharacters = maxTextCharacters): string {
  const masked = maskTokens(text);
  return masked.length <= maxCharacters ? masked : masked.slice(0, maxCharacters);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
