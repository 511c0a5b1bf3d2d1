import assert from 'node:assert/strict';
import type { Reason } from '#holdfast/denial/catalogue.js';
import { Denial } from '#holdfast/denial/denial.js';

function confirmReason(error: unknown, reason: Reason): Denial {
  if (!(error instanceof Denial)) throw error;
  assert.equal(error.reason, reason, `refused, but as ${error.reason}: ${error.detail ?? ''}`);
  return error;
}

/** Asserts that the action is refused for exactly this reason. @returns the Denial, to look at its detail */
export function denied(action: () => unknown, reason: Reason): Denial {
  try {
    action();
  } catch (error) {
    return confirmReason(error, reason);
  }
  return assert.fail(`passed, but should have been refused as ${reason}`);
}

/** The same for an action that takes time. */
export async function deniedLater(action: () => Promise<unknown>, reason: Reason): Promise<Denial> {
  try {
    await action();
  } catch (error) {
    return confirmReason(error, reason);
  }
  return assert.fail(`passed, but should have been refused as ${reason}`);
}

/** Runs a parser on hostile input: it may refuse, but whatever it throws must be a Denial. @returns whether it passed */
export function refusesOnlyByDenial(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof Denial) return false;
    throw error;
  }
}
