import * as http from 'node:http';
import { loadConfig } from '../config/load.js';
import type { CommandContext } from './command.js';

const timeoutMs = 3000;

/**
 * `holdfast health`: asks the admin socket of the running sidecar whether it is alive; for the health check of an
 * image that has no shell.
 * @returns exit code: 0 alive, 1 not
 */
export async function health({ configFile, env, stderr }: CommandContext): Promise<number> {
  const { address } = loadConfig(configFile, env).config.admin;
  return new Promise((resolve) => {
    const request = http.get({ ...address, path: '/livez', timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 0 : 1);
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', ({ message }) => {
      stderr.write(`not alive: ${message}\n`);
      resolve(1);
    });
  });
}
