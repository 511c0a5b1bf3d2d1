import * as http from 'node:http';
import { loadAdminAddress } from '../config/load.js';
import type { SocketAddress } from '../support/bind.js';
import { complain } from './print.js';

const timeoutMs = 3000;
const maxShown = 1000;

/** Where to ask: there, or where the `admin.address` of a configuration says. Nothing else in it is read. */
export type AdminPlace = { readonly address: SocketAddress } | { readonly configFile: string };

export interface HealthQuestion {
  readonly where: AdminPlace;
  readonly env: NodeJS.ProcessEnv;
  /** whether to ask for readiness rather than liveness */
  readonly ready: boolean;
}

/**
 * `holdfast health`: asks the admin socket of the running sidecar whether it is alive, or ready; for the health check of
 * an image that has no shell. Judges by the answer alone: what is on disk by now is for the next start.
 * @returns exit code: 0 it is, 1 it is not or does not answer
 * @throws ConfigError when the configuration does not tell the address
 */
export async function health({ where, env, ready }: HealthQuestion): Promise<number> {
  const address = 'address' in where ? where.address : loadAdminAddress(where.configFile, env);
  const problem = await ask(address, ready ? '/readyz' : '/livez');
  if (problem === undefined) return 0;
  await complain(`${ready ? 'not ready' : 'not alive'}: ${problem}\n`);
  return 1;
}

/** @returns why not, undefined when the answer is 200 */
function ask(address: SocketAddress, path: string): Promise<string | undefined> {
  if ('port' in address && address.port === 0)
    return Promise.resolve('admin.address leaves the port to the system; say which with --address');
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const fail = ({ message }: Error) =>
      resolve(signal.aborted ? `no answer within ${timeoutMs / 1000} s` : message);
    const request = http.get({ ...address, path, signal }, (response) => {
      let text = `status ${response.statusCode}: `;
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text = (text + piece).slice(0, maxShown);
      });
      response.on('end', () => resolve(response.statusCode === 200 ? undefined : text.trimEnd()));
      response.on('error', fail);
    });
    request.on('error', fail);
  });
}
