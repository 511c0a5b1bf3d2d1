import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Denial } from '#holdfast/denial/denial.js';
import { Fault } from '#holdfast/denial/fault.js';
import { type Parser, parsers } from './parsers.js';

/** What came of a parser, in a form that can be compared. */
async function outcomeOf(run: () => unknown, { alsoThrows }: Parser): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    if (error instanceof Denial) return { denied: error.reason, detail: error.detail };
    if (error instanceof Fault) return { failed: error.code };
    if (alsoThrows !== undefined && error instanceof alsoThrows) return { ignored: error.message };
    throw error;
  }
}

describe('D15, A18: whatever comes, a parser decides once: it answers or refuses, and the next time alike', () => {
  for (const parser of parsers) {
    test(parser.name, async () => {
      await fc.assert(
        fc.asyncProperty(parser.feed, async (run) => {
          assert.deepEqual(await outcomeOf(run, parser), await outcomeOf(run, parser));
        }),
        { numRuns: 200 },
      );
    });
  }
});
