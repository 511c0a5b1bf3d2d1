import { authority } from '../support/sidecar.js';
import { framingFields, hidden, odd, pathPieces, words } from './dictionary.js';
import type { Random } from './random.js';
import { type Draft, forgedFields } from './requests.js';

type DraftMutation = (draft: Draft, random: Random) => void;

/** At the level of what a request is made of. */
const draftMutations: readonly [DraftMutation, ...DraftMutation[]] = [
  mutatePath,
  mutatePath,
  mutateField,
  mutateField,
  mutateFraming,
  mutateFraming,
  mutateCredential,
  mutateBody,
  (draft, random) => {
    draft.fields = draft.fields.filter(() => !random.chance(0.3));
  },
  (draft, random) => {
    const count = random.pick([3, 38, 60]);
    for (let i = 0; i < count; i++) draft.fields.push(`X-Many-${i}: ${i}`);
  },
  (draft, random) => {
    draft.version = random.pick(words);
  },
  (draft, random) => {
    draft.target = random.pick([
      ...([`http://${authority}${draft.target}`, `https://evil.example${draft.target}`, '*'] as const),
      ...[`//evil.example${draft.target}`, `${authority}:443`, draft.target.slice(1), `${draft.target} x`],
      `${draft.target}/${'a'.repeat(random.below(600))}`,
    ]);
  },
];

/** At the level of bytes. */
const textMutations: readonly [
  (text: string, random: Random) => string,
  ...((text: string, random: Random) => string)[],
] = [
  (text, random) => splice(text, random.below(text.length + 1), 0, random.pick(odd)),
  (text, random) => splice(text, random.below(text.length + 1), 1, random.pick(odd)),
  (text, random) => splice(text, random.below(text.length + 1), random.between(1, 12), ''),
  (text, random) => splice(text, random.below(text.length + 1), 0, String.fromCharCode(random.below(256))),
  (text, random) => {
    const from = random.below(text.length);
    return splice(text, random.below(text.length + 1), 0, text.slice(from, from + random.between(1, 60)));
  },
  // A token in place of another.
  (text, random) => {
    const tokens = [...text.matchAll(/[^\s:,;=/.]+/g)];
    const chosen = tokens[random.below(Math.max(1, tokens.length))];
    return chosen === undefined ? text : splice(text, chosen.index, chosen[0].length, random.pick(words));
  },
  // Line ends that some readers take for line ends.
  (text, random) => {
    const ends = [...text.matchAll(/\r\n/g)];
    const chosen = ends[random.below(Math.max(1, ends.length))];
    return chosen === undefined
      ? text
      : splice(text, chosen.index, 2, random.pick(['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n ']));
  },
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random) => random.pick(['\r\n', '\n', ' ', '\0', 'x', '\r\n\r\n']) + text,
  (text, random) => text + random.pick(['\r\n', 'x', '\0', hidden, '0\r\n\r\n']),
];

export function mutateDraft(draft: Draft, random: Random): void {
  for (let left = random.between(1, 3); left > 0; left--) random.pick(draftMutations)(draft, random);
}

export function mutateText(text: string, random: Random): string {
  let mutated = text;
  for (let left = random.between(1, 3); left > 0; left--)
    mutated = random.pick(textMutations)(mutated, random);
  return mutated;
}

function mutatePath(draft: Draft, random: Random): void {
  const { target } = draft;
  const slashes = [...target.matchAll(/\//g)].map(({ index }) => index);
  const at = random.chance(0.6)
    ? (slashes[random.below(Math.max(1, slashes.length))] ?? 0)
    : random.below(target.length + 1);
  draft.target = splice(target, at, random.pick([0, 0, 0, 1]), random.pick(pathPieces));
}

function mutateField(draft: Draft, random: Random): void {
  const { fields } = draft;
  const at = random.below(fields.length + 1);
  const line = fields[at] ?? 'X-Trace: abc';
  const [name = '', value = ''] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)];
  const lines = random.pick<readonly string[]>([
    [line, line],
    [random.pick(forgedFields), line],
    [line, random.pick(forgedFields)],
    [`${name.replaceAll('-', '_')}:${value}`],
    [`${random.chance(0.5) ? name.toUpperCase() : name.toLowerCase()}:${value}`],
    [`${name} :${value}`],
    [`${name}:${value}\r\n folded`],
    [`${name}:\t ${value}\t `],
    [`${name}${random.pick(odd)}:${value}`],
    [`${name}:${value}${random.pick(odd)}`],
    [`${name}: ${'v'.repeat(random.pick([200, 5000, 7000]))}`],
    [`Connection: ${name}`, line],
    [line, `Host: ${random.pick(words)}`],
    [`Host: ${random.pick(words)}`],
    [value.trim()],
  ]);
  fields.splice(at, 1, ...lines);
}

function mutateFraming(draft: Draft, random: Random): void {
  const { fields } = draft;
  if (random.chance(0.3))
    draft.fields = fields.filter((line) => !/^(?:content-length|transfer-)/i.test(line));
  draft.fields.splice(random.below(draft.fields.length + 1), 0, random.pick(framingFields));
  if (random.chance(0.4))
    draft.body = random.pick([hidden, `0\r\n\r\n${hidden}`, `5\r\nabcde\r\n0\r\n\r\n${hidden}`, 'abcde']);
}

function mutateBody(draft: Draft, random: Random): void {
  draft.body = draft.body.replace(/^[0-9a-f]+/i, (size) =>
    random.pick([
      `0${size}`,
      `${size};${'x'.repeat(random.pick([3, 20_000]))}`,
      ` ${size}`,
      `${size} `,
      `0x${size}`,
      `-${size}`,
      `${size}\n`,
      'fffffffffffffffff1',
      size.toUpperCase(),
    ]),
  );
  if (random.chance(0.5)) draft.body = mutateText(`${draft.body} `, random);
}

function mutateCredential(draft: Draft, random: Random): void {
  draft.fields = draft.fields.map((line) => {
    if (!/^(?:authorization|dpop):/i.test(line) || random.chance(0.5)) return line;
    const start = line.lastIndexOf(' ') + 1;
    const credential = line.slice(start);
    const parts = credential.split('.');
    const [header = '', claims = '', signature = ''] = parts;
    const changed = random.pick([
      ...([
        `${credential}=`,
        `${credential}.`,
        `${credential},${credential}`,
        `${header}.${claims}.`,
      ] as const),
      ...[
        `${claims}.${header}.${signature}`,
        `${header}.${claims}`,
        credential.toUpperCase(),
        ` ${credential}`,
      ],
      ...[`${credential} ${credential}`, `"${credential}"`, `${header}.${claims}.${'A'.repeat(86)}`],
      splice(
        credential,
        random.below(credential.length),
        1,
        random.pick(['A', 'B', '-', '_', '.', '=', '+']),
      ),
      'a'.repeat(random.pick([1, 4000])),
    ]);
    return line.slice(0, start) + changed;
  });
}

function splice(text: string, at: number, remove: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + remove);
}
