import { once } from 'node:events';
import * as net from 'node:net';
import { portOf } from '../support/ports.js';

/** One way to forward something else than what was decided on. */
export interface Leak {
  /** of the complaints that have to follow, one matches */
  readonly complaint: RegExp;
  /** @param text - bytes of a request on their way to the service, from its head on */
  tamper(text: string): string;
}

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
];

/** Stands before the service and passes every request on with one of the leaks, by turns. */
export class LeakyHop {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(servicePort: number) {
    let turn = 0;
    this.#server = net.createServer((inbound) => {
      const outbound = net.connect(servicePort, '127.0.0.1');
      for (const socket of [inbound, outbound]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          inbound.destroy();
          outbound.destroy();
        });
      }
      inbound.setEncoding('latin1');
      inbound.on('data', (text: string) => {
        const isHead = /^[A-Z-]+ \/(?!public\/good)[^\r]* HTTP\/1\.1\r\n/.test(text);
        outbound.write(isHead ? (leaks[turn++ % leaks.length]?.tamper(text) ?? text) : text, 'latin1');
      });
      outbound.pipe(inbound);
    });
  }

  static async start(serviceUrl: string): Promise<LeakyHop> {
    const hop = new LeakyHop(Number(serviceUrl.split(':').at(-1)));
    hop.#server.listen(0, '127.0.0.1');
    await once(hop.#server, 'listening');
    return hop;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
