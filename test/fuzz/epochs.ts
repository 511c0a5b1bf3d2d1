import { setTimeout as delay } from 'node:timers/promises';
import { judgeAnswers } from './answers-oracle.js';
import { type Evidence, type Ground, judgeArrival, type LoggedRequest } from './arrivals.js';
import type { Played, SentRequest } from './client.js';
import { isFinal } from './message.js';
import { type Arrival, type FuzzService, isOurs } from './service.js';
import type { Tally } from './tally.js';
import type { Violations } from './violations.js';

/** What belongs together in time. What was sent in one epoch arrives in it, or in the next. */
interface Epoch {
  readonly played: Played[];
  readonly logged: Map<string, LoggedRequest>;
  readonly arrivals: Map<string, Arrival[]>;
  readonly ambiguous: Set<string>;
}

export interface EpochsParts {
  readonly violations: Violations;
  readonly tally: Tally;
  /** how long what has arrived may take to be logged, and what has begun to arrive to be whole or cut */
  readonly patienceMs: number;
}

/** Puts together what clients sent and got, what the service saw and what was logged, and judges it in portions. */
export class Epochs {
  readonly secrets = new Set<string>();
  /** what is known of everybody; to be set before the first case */
  ground: Ground | undefined;
  readonly #service: FuzzService;
  readonly #violations: Violations;
  readonly #tally: Tally;
  readonly #patienceMs: number;
  #current = openEpoch();
  #previous = openEpoch();
  /** requests that have arrived, and proofs that have passed, by the id under which they did */
  readonly #taken = new Map<SentRequest | string, string>();

  constructor(service: FuzzService, { violations, tally, patienceMs }: EpochsParts) {
    this.#service = service;
    this.#violations = violations;
    this.#tally = tally;
    this.#patienceMs = patienceMs;
  }

  add(played: Played): void {
    this.#current.played.push(played);
  }

  hear(event: LoggedRequest): void {
    const id = String(event.fields.request_id);
    if (this.loggedAs(id) === undefined) this.#current.logged.set(id, event);
    else if (isOurs(id)) this.#violations.add({ why: [`${id} is logged twice`], event: event.fields });
    // A mutation has made one of two that a front gave: nobody can tell which of them is meant.
    else this.#current.ambiguous.add(id);
    this.#tally.logged(event);
  }

  /** Waits until all is known about what was played, and judges it. */
  async close(): Promise<void> {
    const ids = this.#current.played.flatMap(({ answers }) =>
      answers.flatMap(({ message }) => message.all('x-request-id')),
    );
    const deadline = performance.now() + this.#patienceMs;
    const isOpen = () => {
      this.#collect();
      const open = [...ids, ...this.#current.arrivals.keys()].some((id) => this.loggedAs(id) === undefined);
      return open || this.#service.isReceiving;
    };
    while (isOpen() && performance.now() < deadline) await delay(15);
    for (const arrivals of this.#current.arrivals.values()) this.#judge(arrivals);
    for (const played of this.#current.played) this.#judgeClient(played);
    this.#previous = this.#current;
    this.#current = openEpoch();
    for (const key of [...this.#taken.keys()].slice(0, -4000)) this.#taken.delete(key);
  }

  #collect(): void {
    const { arrivals, oddities } = this.#service.take();
    for (const { why, bytes } of oddities)
      this.#violations.add({ why: [`no request at the service: ${why}`], atService: bytes });
    for (const arrival of arrivals) {
      this.#tally.arrivals++;
      const same = this.#current.arrivals.get(arrival.id);
      if (same === undefined) this.#current.arrivals.set(arrival.id, [arrival]);
      else same.push(arrival);
    }
  }

  /** @returns the event of that request, unless it is long past */
  loggedAs(id: string): LoggedRequest | undefined {
    return this.#current.logged.get(id) ?? this.#previous.logged.get(id);
  }

  #isAmbiguous(id: string): boolean {
    return this.#current.ambiguous.has(id) || this.#previous.ambiguous.has(id);
  }

  #judge(arrivals: readonly Arrival[]): void {
    const [arrival] = arrivals;
    if (arrival === undefined || arrival.message.target === '/public/good') return;
    const { id, message } = arrival;
    if (this.#isAmbiguous(id)) return;
    const logged = this.loggedAs(id);
    const complain = (why: string[], played?: Played): void =>
      this.#violations.add({
        why,
        atService: rewrite(arrival),
        ...(played && { case: played.case, atClient: played.received }),
        ...(logged && { event: logged.fields }),
      });
    if (logged === undefined) {
      complain([`arrived without being logged: ${message.line}`]);
      return;
    }
    if (arrivals.length > 1 && !isRepetition(arrivals))
      complain([`${arrivals.length} arrivals of one request`]);
    let worst: { why: string[]; played: Played } | undefined;
    for (const { played, sent } of this.#candidates(arrival, logged)) {
      const why = this.#judgeAs({ arrival, sent, logged }, played);
      if (why.length === 0) {
        this.#taken.set(sent, id);
        this.#tally.tunnelledToService += arrival.tunnelled.length;
        for (const proof of logged.fields.proof === 'none' ? [] : sent.message.all('dpop'))
          this.#taken.set(proof, id);
        return;
      }
      worst ??= { why, played };
    }
    if (worst === undefined) complain([`nobody sent this: ${message.line}`]);
    else complain(worst.why, worst.played);
  }

  #judgeAs(parts: Pick<Evidence, 'arrival' | 'sent' | 'logged'>, { case: one }: Played): string[] {
    const { ground } = this;
    if (ground === undefined) throw new Error('no ground to judge on');
    const { sent, logged, arrival } = parts;
    const found = judgeArrival({ ...parts, case: one }, ground);
    const before = this.#taken.get(sent);
    if (before !== undefined && before !== arrival.id) found.push('one request arrived twice');
    const passed = sent.message
      .all('dpop')
      .some((proof) => (this.#taken.get(proof) ?? arrival.id) !== arrival.id);
    if (logged.fields.proof !== 'none' && logged.fields.proof !== 'mtls' && passed)
      found.push('a proof passed twice');
    return found;
  }

  /** The requests that this may be: the one whose answer carries the id, or else those that begin alike. */
  #candidates(
    { id, message }: Arrival,
    { listening }: LoggedRequest,
  ): { played: Played; sent: SentRequest }[] {
    const alike: { played: Played; sent: SentRequest }[] = [];
    for (const played of [...this.#current.played, ...this.#previous.played]) {
      if (played.case.listening !== listening) continue;
      const finals = played.answers.filter((answer) => isFinal(answer.message));
      const index = finals.findIndex((answer) => answer.message.all('x-request-id').includes(id));
      const answered = played.requests[index];
      if (answered !== undefined) return [{ played, sent: answered }];
      for (const sent of played.requests)
        if (sent.message.method === message.method && sent.message.target === message.target)
          alike.push({ played, sent });
    }
    return alike;
  }

  #judgeClient(played: Played): void {
    this.#tally.tunnelledToClients += played.tunnelled?.length ?? 0;
    const logged = { get: (id: string) => this.loggedAs(id) };
    const arrivals = {
      get: (id: string) => this.#current.arrivals.get(id) ?? this.#previous.arrivals.get(id),
    };
    const ids = played.answers.flatMap(({ message }) => message.all('x-request-id'));
    if (ids.some((id) => this.#isAmbiguous(id))) return;
    const why = judgeAnswers(played, { logged, arrivals });
    if (why.length > 0) this.#violations.add({ why, case: played.case, atClient: played.received });
  }
}

function openEpoch(): Epoch {
  return { played: [], logged: new Map(), arrivals: new Map(), ambiguous: new Set() };
}

/** Sent once more because the pooled connection had been closed (docs/http.md). */
function isRepetition(arrivals: readonly Arrival[]): boolean {
  const [first, second] = arrivals;
  const isIdempotent = /^(?:GET|HEAD|OPTIONS|PUT|DELETE)$/.test(first?.message.method ?? '');
  // The second time on a connection of its own.
  const again = rewrite(second).replace(/^Connection: close/m, 'Connection: keep-alive');
  return arrivals.length === 2 && isIdempotent && first?.message.body === '' && rewrite(first) === again;
}

function rewrite(arrival: Arrival | undefined): string {
  if (arrival === undefined) return '';
  const { line, fields, body } = arrival.message;
  return [line, ...fields.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n');
}
