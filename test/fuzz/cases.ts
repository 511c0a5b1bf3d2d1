import { clientAddress, type Listening } from './deployment.js';
import { mutateDraft, mutateText } from './mutations.js';
import { Random } from './random.js';
import { assemble, type Desk, draftRequest } from './requests.js';

/** What a client does on one connection. */
export interface Case {
  readonly number: number;
  readonly listening: Listening;
  /** the address that the connection comes from */
  readonly peer: string;
  /** index of the caller whose certificate is shown; undefined: none */
  readonly certificateOf: number | undefined;
  /** everything that is sent, a character a byte */
  readonly bytes: string;
  /** in what portions, with a pause before each, ms */
  readonly writes: readonly { readonly text: string; readonly pauseMs: number }[];
  readonly ending: Ending;
}

/**
 * `read`: reads what comes, then closes. `half-close`: closes its sending side and reads. `reset`, `leave`: gone as soon
 * as everything is written, with RST or FIN. `stay`: waits for the other side to close.
 */
export type Ending = 'read' | 'half-close' | 'reset' | 'leave' | 'stay';

/** Decides on which deployment a case plays, and with which certificate, before its requests can be written. */
export function castCase(seed: string, number: number): Pick<Case, 'listening' | 'peer' | 'certificateOf'> {
  const random = new Random(`${seed}/${number}/connection`);
  const listening = random.pick(['plain', 'plain', 'front', 'front', 'tls'] as const);
  const isFront = listening === 'front' && random.chance(0.8);
  return {
    listening,
    peer: isFront ? random.pick(['127.0.0.2', '127.0.0.3']) : clientAddress,
    certificateOf: listening === 'tls' ? random.pick([undefined, 2, 2, 3, 3, 3]) : undefined,
  };
}

/** @returns the case of that number: the same for the same seed but for keys, signatures and times */
export function writeCase(seed: string, number: number, desk: Desk): Case {
  const random = new Random(`${seed}/${number}`);
  const count = random.pick([1, 1, 1, 1, 2, 2, 3, 5]);
  const requests = Array.from({ length: count }, (_, index) => {
    const mark = `c${number}r${index}`;
    const draft = draftRequest(random, desk, mark);
    const level = random.below(10);
    if (level >= 4 && level <= 7) mutateDraft(draft, random);
    // A front's word is taken for it: no two of them may be the same.
    const text = assemble(draft).replaceAll('X-Request-Id: forged', `X-Request-Id: forged-${mark}`);
    return level >= 7 ? mutateText(text, random) : text;
  });
  // What no byte stands for a mutation may have made: ÿ in capitals.
  const bytes = Buffer.from(requests.join(''), 'latin1').toString('latin1');
  return {
    number,
    ...castCase(seed, number),
    bytes,
    writes: split(bytes, random),
    ending: random.pick([
      ...(['read', 'read', 'read', 'read', 'read', 'read', 'read', 'read', 'read', 'read'] as const),
      ...(['read', 'read', 'half-close', 'half-close', 'reset', 'leave'] as const),
      random.chance(0.1) ? 'stay' : 'read',
    ]),
  };
}

function split(bytes: string, random: Random): Case['writes'] {
  if (random.chance(0.5)) return [{ text: bytes, pauseMs: 0 }];
  const cuts = Array.from({ length: random.between(1, 6) }, () => random.below(bytes.length + 1));
  const places = [0, ...cuts.sort((one, other) => one - other), bytes.length];
  return places.slice(1).map((end, index) => ({
    text: bytes.slice(places[index], end),
    pauseMs: random.pick([0, 0, 1, 3, 10, 30]),
  }));
}
