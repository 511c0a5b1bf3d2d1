import { loadConfig } from '../config/load.js';
import { renderProblems } from '../config/problems.js';
import type { CommandContext } from './command.js';

/**
 * `holdfast check`: loads the configuration as `serve` would, then prints the effective policy, secrets left out, and
 * the warnings. Touches no network.
 *
 * @returns the exit code 0
 * @throws ConfigError with every problem, when the configuration cannot be used
 */
export async function check({
  configFile,
  env,
  stdout,
}: Pick<CommandContext, 'configFile' | 'env' | 'stdout'>): Promise<number> {
  const { policy, hash, warnings } = loadConfig(configFile, env);
  stdout.write(`# effective policy of ${configFile}, hash ${hash}\n${policy}`);
  if (warnings.length > 0)
    stdout.write(`\n# warnings\n${renderProblems(configFile, warnings).replace(/^/gm, '# ')}\n`);
  return 0;
}
