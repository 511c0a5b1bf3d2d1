import { describe, test } from 'node:test';

/**
 * A suite that needs a program which `.ci/run` installs. Without it one test is skipped in its place: the runner does not
 * count a suite that is skipped, and nobody would notice.
 * @param missing - why it cannot run; false: it can
 */
export function describeWith(missing: string | false, name: string, suite: () => void): void {
  if (missing === false) describe(name, suite);
  else test(name, { skip: missing }, () => {});
}
