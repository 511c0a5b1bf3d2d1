import { loadConfig } from '../config/load.js';
import { renderProblems } from '../config/problems.js';
import type { CommandContext } from './command.js';
import { print } from './print.js';

/**
 * `holdfast check`: loads the configuration as `serve` would, then prints the effective policy, secrets left out, and
 * the warnings. Touches no network.
 *
 * @returns the exit code 0
 * @throws ConfigError with every problem, when the configuration cannot be used; Error when standard output cannot be written
 */
export async function check({ configFile, env }: Omit<CommandContext, 'signals'>): Promise<number> {
  const { policy, hash, warnings } = loadConfig(configFile, env);
  const remarks =
    warnings.length === 0
      ? ''
      : `\n# warnings\n${renderProblems(configFile, warnings).replace(/^/gm, '# ')}\n`;
  await print(`# effective policy of ${configFile}, hash ${hash}\n${policy}${remarks}`);
  return 0;
}
