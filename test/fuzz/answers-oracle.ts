import { acceptFor } from '../support/websocket.js';
import type { LoggedRequest } from './arrivals.js';
import type { Played } from './client.js';
import { fronts, routes } from './deployment.js';
import { isProtected } from './forwarded-fields.js';
import { type AnswerMessage, isFinal } from './message.js';
import { type Arrival, isOurs } from './service.js';

export interface Known {
  readonly logged: Pick<ReadonlyMap<string, LoggedRequest>, 'get'>;
  readonly arrivals: Pick<ReadonlyMap<string, readonly Arrival[]>, 'get'>;
}

/** @returns everything in which what the client got is no sound row of answers to what it sent */
export function judgeAnswers(played: Played, known: Known): string[] {
  const { requests, hasRest, answers, trouble } = played;
  const finals = answers.filter(({ message }) => isFinal(message));
  const found: string[] = [];
  // Behind what can be read, an answer may be to a HEAD that cannot.
  if (trouble !== undefined && !(hasRest && finals.length >= requests.length)) found.push(trouble);
  if (finals.length > requests.length + (hasRest ? 1 : 0))
    found.push(`${finals.length} answers to ${requests.length} requests`);
  const interims = answers.filter(({ message }) => !isFinal(message));
  if (interims.some(({ message }) => message.status !== 100 || message.fields.length > 0))
    found.push('an interim answer that is not plain 100');
  if (interims.length > 0 && !/expect/i.test(played.case.bytes)) found.push('100 that nobody expected');
  const ids = new Set<string>();
  for (const { message, whole } of finals) {
    const [id = '', ...more] = message.all('x-request-id');
    if (more.length > 0 || !(isOurs(id) || isOfFront(id, played))) found.push(`x-request-id is ${id}`);
    if (ids.has(id)) found.push(`${id} is answered twice`);
    ids.add(id);
    found.push(...judgeAnswer(message, { id, whole, known }));
    if (message.status === 101) found.push(...judgeSwitch(message, played, known.arrivals.get(id)));
  }
  return found;
}

/** A front gives its own. */
function isOfFront(id: string, { case: { listening, peer, bytes } }: Played): boolean {
  return listening === 'front' && fronts.has(peer) && bytes.includes(id);
}

/** The service has agreed to this very handshake, and what follows is what it said next. */
function judgeSwitch(
  { all, fields }: AnswerMessage,
  { requests, tunnelled }: Played,
  arrivals: readonly Arrival[] = [],
): string[] {
  const found: string[] = [];
  const said = arrivals[0]?.answer.tunnelled;
  if (said === undefined) found.push('switched, but the service has not agreed');
  else if (!said.startsWith(tunnelled ?? '')) found.push('the tunnel carried what the service did not send');
  const [key = ''] = requests.at(-1)?.message.all('sec-websocket-key') ?? [];
  const expected = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': acceptFor(key) };
  for (const [name, value] of Object.entries(expected))
    if (all(name).join() !== value) found.push(`${name} of the 101 is ${all(name).join()}`);
  if (fields.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name)))
    found.push('a 101 with a body');
  return found;
}

function judgeAnswer(
  message: AnswerMessage,
  { id, whole, known }: { id: string; whole: boolean; known: Known },
): string[] {
  const logged = known.logged.get(id)?.fields;
  if (logged === undefined) return [`${id} was answered, but is not in the log`];
  const found: string[] = [];
  const { status, body, all } = message;
  // The other one says which version of the WebSocket protocol we speak. @see RFC 9110 §15.5.22
  const isUpgrade = status === 101 || logged.reason === 'upgrade_version_unsupported';
  if (logged.status !== status && logged.outcome !== 'aborted')
    found.push(`status ${status}, logged as ${logged.status}`);
  const [answerFor] = all('x-answer-for');
  const arrivals = known.arrivals.get(id) ?? [];
  // A byte of it may be one that the service changed.
  const isOfAnother = answerFor === 'nobody' || known.arrivals.get(answerFor ?? '') !== undefined;
  if (answerFor !== id && isOfAnother) found.push(`got the answer to ${answerFor}`);
  if (answerFor !== undefined && arrivals.length === 0)
    found.push('got an answer of the service, which saw nothing');
  const sound = arrivals.length === 1 ? arrivals[0]?.answer.sound : undefined;
  if (sound !== undefined && whole && logged.outcome === 'forwarded' && answerFor !== undefined) {
    if (sound.status !== status) found.push(`status ${status}, the service said ${sound.status}`);
    if (sound.body !== body) found.push('body is not what the service sent');
  }
  for (const [name] of message.fields) {
    const lower = name.toLowerCase();
    const own =
      /^(?:connection|keep-alive|content-length|transfer-encoding|x-request-id|via)$/.test(lower) ||
      (isUpgrade && lower === 'upgrade');
    if (isProtected(lower) && !own) found.push(`protected field ${name} in the answer`);
  }
  const [connection = 'keep-alive', ...others] = all('connection');
  if (others.length > 0 || !(isUpgrade ? /^Upgrade(?:, close)?$/ : /^(?:keep-alive|close)$/).test(connection))
    found.push(`connection is ${connection}`);
  if (all('keep-alive').some((value) => value !== 'timeout=5')) found.push('keep-alive of the service');
  const nonces = all('dpop-nonce');
  const isGuarded = !routes.some(({ path, proof }) => path === logged.route && proof === 'none');
  if (nonces.length > 1 || (isGuarded && nonces.includes('of-the-service')))
    found.push('nonce of the service');
  return found;
}
