import type { DeploymentName } from './case.js';

/**
 * A path that is sent without credentials. Whatever becomes of it, the oracle of the runner holds: it is refused
 * without a byte at the service, or it arrives byte for byte and none of its readings (`readings.ts`) is a path of the
 * protected prefix.
 */
export interface PathCase {
  readonly title: string;
  /** the request target */
  readonly target: string;
  readonly at: DeploymentName;
  /** what has to become of it on top of the oracle; not stated: either */
  readonly must?: 'refuse' | 'forward';
}
