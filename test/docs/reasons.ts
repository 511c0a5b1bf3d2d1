import { catalogue } from '#holdfast/denial/catalogue.js';
import { faults } from '#holdfast/denial/fault.js';

const introduction = `# Reasons

Generated from the catalogue (\`npm run docs\`). A reason is at once the log field \`reason\`, the metric label, and the anchor
of its entry here. The sentence is what the caller sees; the hint is for whoever reads the log, beside \`detail\` there.
`;

/** @returns the page of all reasons for which a request is not let through */
export function writeReasons(): string {
  const denials = Object.entries(catalogue).map(
    ([reason, { status, error, sentence, source, hint, retryAfterSeconds }]) =>
      writeEntry(reason, [
        ['Status', String(status)],
        ['Error', error === undefined ? undefined : `\`${error}\``],
        ['Retry-After', retryAfterSeconds === undefined ? undefined : `${retryAfterSeconds} s`],
        ['Sentence', sentence],
        ['Rule', source],
        ['Hint', hint],
      ]),
  );
  const failures = Object.entries(faults).map(([code, { status, sentence, hint }]) =>
    writeEntry(code, [
      ['Status', String(status)],
      ['Sentence', sentence],
      ['Hint', hint],
    ]),
  );
  const part = (title: string, entries: readonly string[]) => `## ${title}\n\n${entries.join('\n')}`;
  return [
    introduction,
    part('Refusals: the caller failed a check', denials),
    part('Faults: the gateway or something it depends on failed', failures),
  ].join('\n');
}

function writeEntry(key: string, fields: readonly (readonly [string, string | undefined])[]): string {
  const lines = fields.flatMap(([name, value]) => (value === undefined ? [] : [`- ${name}: ${value}`]));
  return `### ${key}\n\n${lines.join('\n')}\n`;
}
