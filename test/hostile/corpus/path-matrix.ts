import type { PathCase } from '../path-case.js';

/** How a dot segment can be spelled. */
const dots = [
  '..',
  '.',
  '.%2e',
  '%2e.',
  '%2e%2E',
  '%2e',
  '%252e%252e',
  '.%252e',
  '%25%32%65%25%32%65',
  '..;',
  '..;x=1',
  '%2e%2e;x',
  '.;x',
  '..%3b',
  '..%3Bx=1',
  '..%253b',
  '..%23',
  '..%3f',
  '..%00',
  '..%09',
  '..%0d%0a',
  '%c0%ae%c0%ae',
  '%e0%80%ae%e0%80%ae',
  '%f0%80%80%ae%f0%80%80%ae',
  '%u002e%u002e',
  '%%32%65%%32%65',
] as const;

/** What can stand for the slash beside it. */
const separators = [
  '/',
  '//',
  '/./',
  '/;/',
  ';/',
  ';x=1/',
  '%2f',
  '%2F',
  '/%2f',
  '%252f',
  '%25%32%66',
  '\\',
  '%5c',
  '%255C',
  '/%5c',
  '%c0%af',
  '%e0%80%af',
] as const;

/** Where in the path it stands. */
const positions: readonly (readonly [name: string, write: (dot: string, separator: string) => string])[] = [
  ['behind the prefix', (dot, separator) => `/public${separator}${dot}${separator}protected/x`],
  ['deeper', (dot, separator) => `/public/a${separator}${dot}${separator}${dot}${separator}protected/x`],
  ['at the end', (dot, separator) => `/public/a${separator}${dot}`],
];

/** N03: no spelling of a dot segment passes, beside no separator and in no place. */
const dotSegments: readonly PathCase[] = dots.flatMap((dot) =>
  separators.flatMap((separator) =>
    positions.map(([position, write], index): PathCase => {
      const target = write(dot, separator);
      // In turn, so that every spelling, separator and position meets both policies.
      const at =
        (dots.indexOf(dot) + separators.indexOf(separator) + index) % 2 === 0 ? 'prefixes' : 'catchAll';
      return { title: `N03, B06: dot segment ${position}: ${target}`, target, at, must: 'refuse' };
    }),
  ),
);

/** N04, S06: where all but one prefix is public, no separator in front of the prefix or behind it opens it. */
const separatorsOnly: readonly PathCase[] = separators.flatMap((separator) =>
  [
    `/${separator}protected/x`,
    `/;a${separator}protected/x`,
    `/protected${separator}x`,
    `/protected${separator}`,
    `/PROTECTED${separator}x`,
    `/slashes${separator}..%2fprotected${separator}x`,
  ].map(
    (target): PathCase => ({
      title: `N04, B06: separator: ${target}`,
      target,
      at: 'catchAll',
      must: 'refuse',
    }),
  ),
);

/** N03, N04, B06: spellings of dots by separators by positions. */
export const pathMatrix: readonly PathCase[] = [...dotSegments, ...separatorsOnly];
