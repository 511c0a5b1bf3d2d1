/**
 * In which ways a service may read a path, for the test: written against what servers are known to do, and apart from
 * the product, which has its own idea of it. The steps are taken in every order and number, so that the set is wider
 * than what any one service does.
 */
const steps: readonly ((path: string) => string)[] = [
  (path) => path.replace(/;[^/]*/g, ''), // parameters of each segment
  (path) => path.replace(/;.*$/s, ''), // everything behind the first semicolon
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.replace(/[?#].*$/s, ''), // a query or fragment that came to light
  (path) => path.replace(/\0.*$/s, ''), // strings that end at NUL
  (path) => path.replace(/[\t\r\n]/g, ''), // parsers of URLs that skip white space
  resolveDotSegments,
  decodeOverlong,
  foldCase,
  trimNames,
  (path) => path.replace(/\.[^/.]*(?=\/?$)/, ''), // the format at the end
  (path) => path.replace(/\/\((?:[a-z]\([^()]*\))+\)(?=\/|$)/gi, ''), // session ids of ASP.NET
  (path) => path.replace(/^.*?\.(?:php|jsp|aspx?|cgi|do|action)(?=\/)/is, ''), // the path info of a script
  (path) => path.replace(/(\.(?:php|jsp|aspx?|cgi|do|action))\/.*$/is, '$1'), // its script
  (path) => path.replace(/^\/?[a-z][a-z0-9+.-]*:\/\/[^/]*(?=\/)/i, ''), // an authority
];

const maxDecodings = 3;

/** @param path - as on the wire, without query. @returns every reading of it, itself included */
export function readingsOf(path: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const open: [path: string, decodings: number][] = [[path, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [reading, decodings] = next;
    const fewest = seen.get(reading);
    if (fewest !== undefined && fewest <= decodings) continue;
    seen.set(reading, decodings);
    for (const step of steps) open.push([step(reading), decodings]);
    if (decodings < maxDecodings && reading.includes('%'))
      for (const decoded of [decode(reading), decodeUtf8(reading)]) open.push([decoded, decodings + 1]);
  }
  return new Set(seen.keys());
}

/** The readings of a path that lead below a prefix. */
export function readingsBelow(prefix: string, path: string): string[] {
  return [...readingsOf(path)].filter((reading) => reading === prefix || reading.startsWith(`${prefix}/`));
}

function decode(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeUtf8(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** As collations do that do not tell case, accents or widths: a Kelvin sign is a k. */
function foldCase(path: string): string {
  const folded = path.normalize('NFKD').replace(/\p{M}/gu, '');
  return folded.toUpperCase().toLowerCase().replaceAll('ı', 'i');
}

/** White space around names, and what Windows drops behind them: streams, dots. */
function trimNames(path: string): string {
  const names = path.split('/').map((name) => name.trim());
  return names
    .map((name) => (/^\.*$/.test(name) ? name : name.replace(/:.*$/s, '').replace(/[. ]+$/, '')))
    .join('/');
}

/** Octets that a decoder which does not insist on the shortest form of UTF-8 takes for ASCII. */
function decodeOverlong(path: string): string {
  return path.replace(
    /%(?:c([01])|e0%8([01])|f0%80%8([01]))%([89ab][0-9a-f])/gi,
    (_, two: string | undefined, three: string | undefined, four: string | undefined, last: string) =>
      String.fromCharCode((Number(two ?? three ?? four) << 6) | (Number.parseInt(last, 16) & 0x3f)),
  );
}

/** @see RFC 3986 §5.2.4 */
function resolveDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  });
  return `/${kept.join('/')}`;
}
