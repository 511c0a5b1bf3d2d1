import { decodeFully } from './decoding.js';
import { type Segment, type Segments, toSegments } from './segments.js';

// Session ids that ASP.NET takes out of the path: `/(S(x))/admin` is `/admin`.
const cookieless = /^\((?:[A-Za-z]\([^()]*\))+\)(?:[;?#].*)?$/s;

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
  // As a service has them that decodes before it looks.
  const texts = list.map(({ text, isPlain }) => (isPlain ? text : decodeFully(text)));
  if (scheme.test(texts[0] ?? '')) found.push(...behindScheme(texts, list));
  for (const [index, text] of texts.entries()) {
    const isSession = cookieless.test(text);
    const isDivided = /[/\\]/.test(text);
    const hasScript = isScript(text);
    if (!isSession && !hasScript) continue;
    if (++count > 1 || isDivided) return undefined;
    found.push(list.toSpliced(index, 1));
    // Without more behind it, a script is called with no path info, or stands for its folder.
    if (hasScript) found.push(list.slice(index + 1), list.slice(0, index + 1));
  }
  return found.map((one) => toSegments(one, false));
}

// RFC 3986 §3.1. In `x:batch` it is none that comes with an authority; those of the web do, also without slashes (WHATWG URL).
const scheme = /^(?:[A-Za-z][A-Za-z0-9+.-]*:$|(?:https?|wss?|ftp|file):)/i;

/** `https://x/y`, for those who do not count slashes `https:/x/y` and `https:x/y`; `a:/y` and `https:///y` have no authority. */
function behindScheme(texts: readonly string[], list: readonly Segment[]): (readonly Segment[])[] {
  if (texts[0]?.endsWith(':') !== true) return [list.slice(1)];
  const authority = list.findIndex(({ text }, index) => index > 0 && text !== '');
  if (authority < 0) return [[]];
  return [list.slice(authority + 1), list.slice(authority)];
}

// What servers drop before they look for the file may follow, and parameters, or more of a path that was encoded.
const script = /\.(?:php|jsp|aspx?|cgi|do|action)(?:%20|[.+])*(?:[;?#/\\].*)?$/is;

/** Whether servers run it and hand on what follows as path info. @see REQUIREMENTS N08, which lists the extensions */
export function isScript(text: string): boolean {
  return script.test(text);
}
