import { type Segment, type Segments, toSegments } from './segments.js';

// Session ids that ASP.NET takes out of the path: `/(S(x))/admin` is `/admin`.
const cookieless = /^\((?:[A-Za-z]\([^()]*\))+\)$/;

/**
 * Other paths that a service may take for the one that was asked for, because it cuts off what stands in front or
 * behind: the script of a path with path info (RFC 3875 §4.1.5), the authority of a target that it reads as a URL once
 * something has removed the first slash, and session ids.
 *
 * @returns few, mostly none; undefined: too many to look at
 */
export function findAlternatives({ list }: Segments): readonly Segments[] | undefined {
  const found: (readonly Segment[])[] = [];
  let count = 0;
  if (scheme.test(list[0]?.text ?? '')) found.push(...behindScheme(list));
  for (const [index, { text }] of list.entries()) {
    const isSession = cookieless.test(text);
    const hasPathInfo = index < list.length - 1 && isScript(text);
    if (!isSession && !hasPathInfo) continue;
    if (++count > 1) return undefined;
    found.push(list.toSpliced(index, 1));
    if (hasPathInfo) found.push(list.slice(index + 1), list.slice(0, index + 1));
  }
  return found.map((one) => toSegments(one, false));
}

// RFC 3986 §3.1. In `x:batch` it is none that comes with an authority; those of the web do, also without slashes (WHATWG URL).
const scheme = /^(?:[A-Za-z][A-Za-z0-9+.-]*:$|(?:https?|wss?|ftp|file):)/i;

/** `https://x/y`, for those who do not count slashes `https:/x/y` and `https:x/y`; `a:/y` and `https:///y` have no authority. */
function behindScheme(list: readonly Segment[]): (readonly Segment[])[] {
  if (list[0]?.text.endsWith(':') !== true) return [list.slice(1)];
  const authority = list.findIndex(({ text }, index) => index > 0 && text !== '');
  if (authority < 0) return [];
  return [list.slice(authority + 1), list.slice(authority)];
}

/** Whether servers run it and hand on what follows as path info. @see REQUIREMENTS N08, which lists the extensions */
export function isScript(text: string): boolean {
  return /\.(?:php|jsp|aspx?|cgi|do|action)$/i.test(text);
}
