/**
 * The hostile corpus: what a network may send, as data, and what has to become of it.
 *
 * `corpus/` holds the cases by family, each an array of `HostileCase`. `hostile.test.ts` runs every one of them as a
 * test of its own against the real process, with a service behind it that is nothing but a socket which records bytes.
 *
 * Bytes are strings of latin1: a character is a byte. They are written out as they travel, a line of the source for a
 * line on the wire (`lines`), so that a case can be read and replayed by hand. Two things cannot be written down
 * beforehand and stand as place holders:
 *
 * - `{{proof}}` is the Authorization and DPoP lines of a caller who may pass, for the method and path of the request
 *   line; `{{proof POST /path}}` the same for another request;
 * - `{{via}}` is the name under which the process stands in Via.
 *
 * Every case states the answers in the order in which they come, what the service received, and whether the
 * connection ends. After every case the runner sends a good request, on the same connection where it goes on and on a
 * new one, and the service must then have seen these and nothing else: what a case hides in a body, in front of a
 * request or behind a refusal would show up there. What is hidden is a request to a public route, which needs no
 * credentials: were it ever read as a request, it would pass.
 *
 * Paths that can be confused have a form of their own (`path-case.ts`, `paths.test.ts`): what has to hold for them is
 * that the decision is the decision for every reading of the path which the service received (`readings.ts`).
 *
 * Where a row of the requirements leaves a range, or Node's parser decides before us, the case says why (`because`).
 */
export interface HostileCase {
  /** begins with the rows of the requirements that it belongs to */
  readonly title: string;
  readonly bytes: string;
  /** sent when a 100 has been read */
  readonly upon100?: string;
  /** the client closes its sending side behind the bytes */
  readonly ends?: true;
  /** in order; none: the connection ends without one */
  readonly answers: readonly ExpectedAnswer[];
  /** whole requests, in order; `incomplete`: bytes may have arrived, but no whole request */
  readonly saw: readonly ExpectedRequest[] | 'incomplete';
  /** whether the connection ends behind the last answer; otherwise it must serve a good request */
  readonly closes: boolean;
  /** the answer of the service, instead of a plain 200 */
  readonly reply?: string;
  readonly at?: DeploymentName;
  readonly because?: string;
}

export interface ExpectedAnswer {
  /** several where a row leaves a range */
  readonly status: number | readonly number[];
  /** of the refusal in the log */
  readonly reason?: string;
  /** with content, although the request was HEAD */
  readonly content?: true;
  /** the one value of a field, what it looks like, or null: absent */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
}

export interface ExpectedRequest {
  readonly line: string;
  /** the values of a field, in order, or what its one value looks like */
  readonly fields?: Readonly<Record<string, readonly string[] | RegExp>>;
  readonly lacks?: readonly string[];
  /** without chunk framing; default: none */
  readonly body?: string;
}

/** Deployments that cases run against; what is not stated is as by default. */
export const deployments = {
  /** what is not named is not served; the public part stands beside the protected one */
  prefixes: {
    listen: { limits: { bodyBytes: '64KiB' } },
    routes: [
      { path: '/' },
      { path: '/public/**', proof: 'none' },
      { path: '/readonly/**', proof: 'none', methods: ['GET', 'HEAD'] },
      { path: '/slashes/**', proof: 'none', encodedSlashes: 'pass' },
      { path: '/protected/**', proof: 'any' },
    ],
  },
  /** everything is public but one prefix: the policy under which confusion pays most */
  catchAll: {
    listen: { headerNames: 'refuse' },
    routes: [{ path: '/' }, { path: '/protected/**', proof: 'any' }, { path: '/**', proof: 'none' }],
  },
} as const;

export type DeploymentName = keyof typeof deployments;

/** The lines with the end of line between them; the last one has none. */
export function lines(...all: readonly string[]): string {
  return all.join('\r\n');
}

/** One refusal, and not a byte at the service. @param rest - a refusal ends the connection unless it says otherwise */
export function refused(
  title: string,
  bytes: string,
  answer: ExpectedAnswer,
  rest: Partial<HostileCase> = {},
): HostileCase {
  return { title, bytes, answers: [answer], saw: [], closes: true, ...rest };
}

/** One request that the service gets, and its answer. */
export function forwarded(
  title: string,
  bytes: string,
  saw: ExpectedRequest,
  rest: Partial<HostileCase> = {},
): HostileCase {
  return { title, bytes, answers: [{ status: 200 }], saw: [saw], closes: false, ...rest };
}

/** What to hide where only a broken reader would find a request: it needs no credentials. */
export const hidden = lines('GET /public/smuggled HTTP/1.1', 'Host: api.test', '', '');

export const malformed = { status: 400, reason: 'request_malformed' } as const;
export const framingInvalid = { status: 400, reason: 'framing_invalid' } as const;
export const codingUnsupported = { status: 501, reason: 'transfer_coding_unsupported' } as const;
export const hostInvalid = { status: 400, reason: 'host_invalid' } as const;
export const hostNotServed = { status: 421, reason: 'host_not_served' } as const;
export const targetInvalid = { status: 400, reason: 'target_invalid' } as const;
export const ambiguous = { status: 400, reason: 'path_ambiguous' } as const;
export const unproven = { status: 401, reason: 'credentials_missing' } as const;
