import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { docsDirectory, pages } from './pages.js';

for (const [name, write] of pages) {
  test(`docs: ${name} is what \`npm run docs\` writes`, () => {
    assert.equal(
      readFileSync(new URL(name, docsDirectory), 'utf8'),
      write(),
      `docs/${name} is stale: npm run docs`,
    );
  });
}
