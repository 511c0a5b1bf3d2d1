import type { Files } from './files.js';
import type { Report } from './report.js';

/** What a section needs to turn what was written into what is used. */
export interface Context {
  readonly report: Report;
  readonly files: Files;
  readonly nowMs: number;
}
