import { pino } from 'pino';
import { Denial } from '../denial/denial.js';
import type { RequestRecord } from './request-record.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What the rest of the product says to operators. One JSON line an event, on stdout. */
export interface Log {
  request(record: RequestRecord): void;
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
  /** everything written so far is with the operating system when this returns */
  flush(): void;
}

const maxTextCharacters = 512;
const flushEveryMs = 100;
const bufferBytes = 8 * 1024;
// When nobody reads stdout, lines beyond this are dropped rather than kept in memory.
const maxBacklogBytes = 16 * 1024 * 1024;

/**
 * Lines are collected and written in blocks, at the latest after 100 ms: one system call for many requests. `flush`
 * before the process ends.
 * @see REQUIREMENTS S01, S02
 */
export function createLog(level: LogLevel): Log {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: bufferBytes,
    maxLength: maxBacklogBytes,
  });
  const timer = setInterval(() => destination.flush(), flushEveryMs);
  timer.unref();
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    request: (record) => {
      if (logger.isLevelEnabled('info')) destination.write(`${JSON.stringify(describe(record))}\n`);
    },
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // The reader of stdout has gone; there is nobody left to tell.
      }
    },
  };
}

/**
 * The one event of a request. Written past pino, which builds a line of so many members from pieces: in one call of
 * JSON.stringify it costs a third. Of the caller's secrets only digests: never a token, proof, cookie or query string; of
 * what the caller wrote only bounded text, which JSON escapes.
 */
function describe(record: RequestRecord): object {
  const { facts, token, cause } = record;
  return {
    level: 'info',
    time: new Date().toISOString(),
    event: 'request',
    request_id: record.requestId,
    route: record.route?.path,
    method: facts?.method,
    path: facts?.target.rawPath.slice(0, maxTextCharacters),
    status: record.status,
    outcome: record.outcome,
    reason: cause === undefined ? undefined : cause instanceof Denial ? cause.reason : cause.code,
    detail: cause?.detail?.slice(0, maxTextCharacters * 2),
    client: token?.clientId.slice(0, maxTextCharacters),
    subject: token?.logNames.subject,
    token: token?.logNames.token,
    proof: record.proof,
    key: record.key,
    exception: record.exception,
    remote_address: record.remoteAddress,
    duration_ms: round(record.durationMs),
    gate_ms: round(record.gateMs),
    upstream_ms: round(record.upstreamMs),
    error: cause instanceof Denial || cause?.entry.status !== 500 ? undefined : stackOf(cause.cause),
  };
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
