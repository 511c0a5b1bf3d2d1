import type { Answer } from './client.js';
import type { Setting } from './stage.js';

/** Named facts about what happened, in the order in which they are shown. */
export type Facts = Readonly<Record<string, string | number>>;

export interface Scene {
  /** what is tried, as a sentence */
  readonly request: string;
  /** `reachedService` (requests that the service received) is counted by the player */
  readonly expected: Facts & { readonly reachedService: number };
  /** @returns at least the other facts that are expected */
  readonly play: () => Promise<Facts>;
}

/** One line of the report. */
export interface Row {
  readonly request: string;
  readonly expected: Facts;
  /** the same facts as they were, or the error that ended the scene */
  readonly got: Facts;
  readonly ok: boolean;
}

/** Plays one scene and compares every expected fact. A scene that throws is a row that failed. */
export async function playScene({ request, expected, play }: Scene, setting: Setting): Promise<Row> {
  const before = await countServiceRequests(setting);
  try {
    const facts: Facts = {
      ...(await play()),
      reachedService: (await countServiceRequests(setting)) - before,
    };
    const got = Object.fromEntries(Object.keys(expected).map((name) => [name, facts[name] ?? 'none']));
    return {
      request,
      expected,
      got,
      ok: Object.entries(expected).every(([name, value]) => got[name] === value),
    };
  } catch (error) {
    return { request, expected, got: { failure: String(error) }, ok: false };
  }
}

/** How many requests the service has received, asked directly and not through Holdfast. */
export async function countServiceRequests({ serviceUrl }: Setting): Promise<number> {
  const response = await fetch(`${serviceUrl}/requests`);
  const { requests } = (await response.json()) as { requests: number };
  return requests;
}

/**
 * What there is to see of one call: by the caller (status, error, schemes of the challenge), by the service (the
 * identity headers it was given), and by the operator (the reason in the log).
 */
export async function observe({ response, challenges }: Answer, { logOf }: Setting): Promise<Facts> {
  const { reason, outcome } = await logOf(response.headers.get('x-request-id') ?? '');
  const facts = {
    status: response.status,
    error:
      challenges.map(({ parameters }) => parameters.error).find((error) => error !== undefined) ?? 'none',
    challenges: challenges.map(({ scheme }) => scheme).join('+'),
    log: String(reason ?? outcome),
  };
  if (!response.ok) return facts;
  const { headers } = (await response.json()) as { headers: Readonly<Record<string, string>> };
  const [client, proof, key] = ['client', 'proof', 'key'].map((name) => headers[`x-auth-${name}`] ?? 'none');
  return { ...facts, client: client ?? '', proof: proof ?? '', key: key ?? '' };
}
