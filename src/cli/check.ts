import { loadConfig } from '../config/load.js';
import { ConfigError, renderProblems } from '../config/problems.js';

export interface CheckOptions {
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * `holdfast check`: loads the configuration as `serve` would, then prints the effective policy, secrets left out, and
 * the warnings. Touches no network.
 * @returns the exit code: 0, or 2 when the configuration cannot be used
 */
export async function check({ configFile, env, stdout, stderr }: CheckOptions): Promise<number> {
  try {
    const { policy, hash, warnings } = loadConfig(configFile, env);
    stdout.write(`# effective policy of ${configFile}, hash ${hash}\n${policy}`);
    if (warnings.length > 0)
      stdout.write(`\n# warnings\n${renderProblems(configFile, warnings).replace(/^/gm, '# ')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(`${error.message}\n`);
    return 2;
  }
}
