import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeaderNames } from '#holdfast/request/header-names.js';
import { identityNames } from '../../support/facts.js';
import { harmlessNames, trustedNames } from '../../support/trusted-names.js';

const names = new HeaderNames(identityNames);
const roleOf = (name: string) => names.lookup(name).role;

describe('L11: names that legacy services trust from others', () => {
  for (const name of trustedNames) {
    test(`L11: ${name}, in every form`, () => {
      for (const plain of [name, name.toLowerCase(), name.toUpperCase(), `HTTP-${name}`])
        assert.match(roleOf(plain), /^(?:forwarding|identity)$/, plain);
      const forms = [name.replaceAll('-', '_'), name.replace('-', '_'), name.replaceAll('-', '.')];
      const odd = [...forms.filter((form) => form !== name), `HTTP_${name.replaceAll('-', '_')}`];
      if (name.includes('-')) odd.push(name.replace('-', '__'), `_${name.replaceAll('-', '_')}`);
      for (const form of odd) {
        assert.equal(roleOf(form), 'impersonating', form);
        assert.equal(roleOf(form.toLowerCase()), 'impersonating', form);
      }
    });
  }

  test('L11: accepting twin: names that are like those', () => {
    for (const name of harmlessNames) {
      assert.equal(roleOf(name), 'ordinary', name);
      if (name.includes('-')) assert.equal(roleOf(name.replaceAll('-', '_')), 'odd', name);
    }
  });
});
