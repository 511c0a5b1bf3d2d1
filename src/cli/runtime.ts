import { hidesIntermediates } from '../listener/intermediates.js';

/** Release lines of Node and the day their support ends. @see https://nodejs.org/en/about/previous-releases */
const supportEnds: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

/** Releases that fix the TLS and HTTP vulnerabilities published in June 2026. */
const securityFloor: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  22: [23, 0],
  24: [17, 0],
};

/**
 * What is to be said once at start about the version of Node: one warning, or none.
 * @param version - `process.versions.node`
 * @param today - ms since the epoch
 * @see REQUIREMENTS S10
 */
export function describeRuntimeRisk(version: string, today: number): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const end = supportEnds[major];
  if (end === undefined && major <= 26)
    return `Node ${version} is of a release line without long-term support; use 24 or newer`;
  if (end !== undefined && today > Date.parse(`${end}T23:59:59Z`)) {
    return `Node ${version} gets no security fixes since ${end}; use 24 or newer`;
  }
  const [floorMinor, floorPatch] = securityFloor[major] ?? [0, 0];
  if (minor < floorMinor || (minor === floorMinor && patch < floorPatch)) {
    return `Node ${version} lacks security fixes of ${major}.${floorMinor}.${floorPatch}; update`;
  }
  if (hidesIntermediates(version))
    return `Node ${version} does not tell when an intermediate of a client certificate expires, and keeps its memory; use another release`;
  return undefined;
}

/**
 * @returns why the process must not serve: the lenient parser lets smuggled requests through
 * @param options - command line options of Node itself, and NODE_OPTIONS
 * @see REQUIREMENTS A13
 */
export function findUnsafeOption(options: readonly string[]): string | undefined {
  const unsafe = options.find(
    (option) => /^--insecure[-_]http[-_]parser\b/.test(option) && !option.endsWith('=false'),
  );
  return unsafe === undefined
    ? undefined
    : `Node runs with ${unsafe}, which accepts malformed HTTP: start it without`;
}
