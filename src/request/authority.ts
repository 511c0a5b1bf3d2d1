import { Denial } from '../denial/denial.js';

/** One public origin under which clients reach the gateway. */
export interface Origin {
  readonly scheme: 'http' | 'https';
  /** lower case, without the default port */
  readonly authority: string;
  /** `scheme://authority` */
  readonly uri: string;
}

const defaultPort = { http: '80', https: '443' } as const;
const hostGrammar = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([1-9][0-9]{0,4}))?$/;

/**
 * The authorities that this listener answers for. What a client sends in Host selects one of the configured values
 * and is never used itself, so nothing that a parser might repair (`127.1`, `a@b`) gets anywhere.
 */
export class Origins {
  readonly #byHost = new Map<string, Origin>();
  /** by scheme and host: asked only when a trusted proxy tells the scheme */
  readonly #byUri = new Map<string, Origin>();

  /** @param uris - `scheme://host[:port]`, lower case, checked by the configuration; the first one wins a tie */
  constructor(uris: readonly string[]) {
    for (const uri of uris) {
      const scheme = uri.startsWith('https://') ? 'https' : 'http';
      const sent = uri.slice(`${scheme}://`.length).toLowerCase();
      const suffix = `:${defaultPort[scheme]}`;
      const authority = sent.endsWith(suffix) ? sent.slice(0, -suffix.length) : sent;
      const origin = { scheme, authority, uri: `${scheme}://${authority}` } as const;
      const hasPort = /:[0-9]+$/.test(authority);
      for (const host of hasPort ? [authority] : [authority, authority + suffix]) {
        if (!this.#byHost.has(host)) this.#byHost.set(host, origin);
        this.#byUri.set(`${scheme}://${host}`, origin);
      }
    }
  }

  /**
   * @param fields - the values of all Host field lines, as sent
   * @param scheme - under which the client came, where that is known
   * @returns the configured origin that the one Host field names
   * @throws Denial host_invalid (400), host_not_served (421)
   * @see RFC 9112 §3.2; RFC 9110 §7.2, §7.4; RFC 3986 §3.2.2
   */
  select(fields: readonly string[], scheme?: Origin['scheme']): Origin {
    const [sent = ''] = fields;
    const exact = fields.length === 1 ? this.#find(sent, scheme) : undefined;
    if (exact !== undefined) return exact;

    const host = parseHost(fields);
    const origin = this.#find(host.toLowerCase(), scheme);
    if (origin === undefined) {
      const addressed = scheme === undefined ? host : `${scheme}://${host}`;
      // In the log: case says nothing in a name, and much in a piece of a credential that got there.
      throw new Denial('host_not_served', addressed.toLowerCase().slice(0, 255));
    }
    return origin;
  }

  #find(host: string, scheme: Origin['scheme'] | undefined): Origin | undefined {
    return scheme === undefined ? this.#byHost.get(host) : this.#byUri.get(`${scheme}://${host}`);
  }
}

/**
 * The one Host of a message, whomever it names.
 * @param fields - the values of all Host field lines, as sent
 * @throws Denial host_invalid
 * @see RFC 9112 §3.2; REQUIREMENTS A01, A02
 */
export function parseHost(fields: readonly string[]): string {
  const [host] = fields;
  if (host === undefined || fields.length > 1)
    throw new Denial('host_invalid', `${fields.length} host fields`);
  const match = hostGrammar.exec(host);
  if (match === null || Number(match[1] ?? 1) > 65535) throw new Denial('host_invalid', 'not host[:port]');
  return host;
}
