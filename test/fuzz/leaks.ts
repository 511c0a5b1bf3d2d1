import type { Socket } from 'node:net';
import { Hop } from '../support/hop.js';

/** One way to pass on something else than what was decided on, or than what the service said. */
export interface Leak {
  /** of the complaints that have to follow, one matches */
  readonly complaint: RegExp;
  /** @param text - bytes of a message on their way, from its head on @returns the same where there is nothing to do */
  tamper(text: string): string;
}

/** On the way to the service. */
export const leaks: readonly Leak[] = [
  {
    complaint: /x-auth-subject is/,
    tamper: (text) => text.replace('\r\n', '\r\nX-Auth-Subject: root\r\n'),
  },
  { complaint: /x-auth-proof is/, tamper: (text) => text.replace(/X-Auth-Proof: [^\r]*\r\n/, '') },
  {
    complaint: /fields \[.*not \[/,
    tamper: (text) => text.replace('\r\n', '\r\nX-Added: 1\r\n'),
  },
  {
    complaint: /nobody sent this|path in the log/,
    tamper: (text) => text.replace(/^(\S+) \/(\w+)/, '$1 /protected/$2'),
  },
  {
    complaint: /no request at the service/,
    tamper: (text) => text.replace('\r\n', ' \r\n'),
  },
  {
    complaint: /arrived without being logged/,
    tamper: (text) => `GET /public/hidden HTTP/1.1\r\nHost: api.test\r\n\r\n${text}`,
  },
  {
    complaint: /the tunnel carried what the client did not send/,
    tamper: (text) => text.replace(/^(Upgrade: websocket\r\n[\s\S]*?\r\n\r\n)/m, '$1more'),
  },
  { complaint: /an upgrade that got lost/, tamper: (text) => text.replace(/^Upgrade: websocket\r\n/m, '') },
  {
    complaint: /x-forwarded-for is/,
    tamper: (text) => text.replace(/^X-Forwarded-For: 203/m, 'X-Forwarded-For: 204'),
  },
  {
    complaint: /a body that may stay unread/,
    tamper: (text) =>
      /^(?:GET|HEAD|DELETE|OPTIONS) [\s\S]*\r\n(?:Content-Length: [1-9]|Transfer-Encoding: chunked)/.test(
        text,
      )
        ? text.replace(/^Connection: close\r$/m, 'Connection: keep-alive\r')
        : text,
  },
  { complaint: /client-cert is/, tamper: (text) => text.replace(/^Client-Cert: .*\r\n/m, '') },
];

/** On the way back. */
export const answerLeaks: readonly Leak[] = [
  { complaint: /body is not what/, tamper: (text) => text.replace(/(\r\n\r\n)[0-9a-f]/, '$1#') },
  {
    complaint: /the tunnel carried what the service did not send/,
    tamper: (text) => text.replace(/^(HTTP\/1\.1 101 [\s\S]*?\r\n\r\n)/, '$1more'),
  },
];

/** Their turns are those of requests that pass as they are, so that the answers can be changed; an upgrade has turns of its own. */
const passes: readonly Leak[] = [
  { complaint: /^/, tamper: (text) => text.replace(/^Upgrade: websocket\r\n/m, '$& ') },
  { complaint: /^/, tamper: (text) => `${text} ` },
];

/** Stands before the service and changes every message in one of the ways above: the one that was used least of those that fit. */
export class LeakyHop extends Hop {
  readonly #uses = new Map<Leak, number>();

  protected join(inbound: Socket, outbound: Socket): void {
    for (const socket of [inbound, outbound]) {
      socket.setEncoding('latin1');
      socket.on('error', () => {});
      socket.on('close', () => {
        inbound.destroy();
        outbound.destroy();
      });
    }
    let mayChangeAnswer = false;
    inbound.on('data', (text: string) => {
      const isHead = /^[A-Z-]+ \/(?!public\/good)[^\r]* HTTP\/1\.1\r\n/.test(text);
      const leak = isHead ? this.#choose(text, [...passes, ...leaks]) : undefined;
      mayChangeAnswer = leak !== undefined && passes.includes(leak);
      outbound.write(mayChangeAnswer ? text : (leak?.tamper(text) ?? text), 'latin1');
    });
    outbound.on('data', (text: string) => {
      const leak = mayChangeAnswer ? this.#choose(text, answerLeaks) : undefined;
      inbound.write(leak?.tamper(text) ?? text, 'latin1');
    });
  }

  /** @returns undefined when none fits */
  #choose(text: string, from: readonly Leak[]): Leak | undefined {
    const usesOf = (leak: Leak) => this.#uses.get(leak) ?? 0;
    const [leak] = from
      .filter((one) => one.tamper(text) !== text)
      .sort((one, other) => usesOf(one) - usesOf(other));
    if (leak !== undefined) this.#uses.set(leak, usesOf(leak) + 1);
    return leak;
  }

  static start(serviceUrl: string): Promise<LeakyHop> {
    return new LeakyHop(Number(serviceUrl.split(':').at(-1))).listen();
  }
}
