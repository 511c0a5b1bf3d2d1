import assert from 'node:assert/strict';
import test from 'node:test';
import { Admission, sealAdmission } from '#holdfast/gate/admission.js';
import { nothingToClaim } from '#holdfast/gate/claim.js';
import { makeFacts } from '../../support/facts.js';
import { makeGrant } from '../../support/grants.js';

test('DESIGN 1: an admission holds what was judged, and only sealing makes one', () => {
  const facts = makeFacts();
  const grant = makeGrant({}, facts);
  const admission = sealAdmission(facts, grant, nothingToClaim);
  assert.ok(admission instanceof Admission);
  assert.equal(admission.facts, facts);
  assert.equal(admission.grant, grant);
  assert.equal(admission.grant.route.path, '/**');
  assert.equal(admission.nonceExpiresSoon, false);
});
