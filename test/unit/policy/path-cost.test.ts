import assert from 'node:assert/strict';
import test from 'node:test';
import { Denial } from '#holdfast/denial/denial.js';
import { RouteTable } from '#holdfast/policy/routes.js';
import { makeFacts } from '../../support/facts.js';
import { longPlainPath, manyRoutes, worstPaths } from '../../support/path-loads.js';

/** The least of many runs, ms: what it costs when nobody disturbs. */
function leastMs(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 60; round++) {
    const start = process.hrtime.bigint();
    run();
    least = Math.min(least, Number(process.hrtime.bigint() - start) / 1e6);
  }
  return least;
}

test('N10: at 500 routes no path costs much more than a plain one of that length', () => {
  for (const [shape, routes] of Object.entries(manyRoutes(500))) {
    const table = new RouteTable(routes);
    const judge = (target: string) => {
      const facts = makeFacts({ target });
      return leastMs(() => {
        try {
          table.match(facts);
        } catch (error) {
          assert.ok(error instanceof Denial);
        }
      });
    };
    const plain = judge(longPlainPath);
    // The bound of the requirement is 10, which `npm run bench:paths` measures; here the machine may be busy.
    for (const path of worstPaths) {
      const ratio = judge(path) / plain;
      assert.ok(ratio < 30, `${shape}: ${path.slice(0, 30)} costs ${ratio.toFixed(1)} times the plain path`);
    }
  }
});

test('N08, N10: where too many literals stand in the place of a segment that is not plain, it is refused', () => {
  const routes = manyRoutes(500).oneDepth ?? [];
  const table = new RouteTable(routes);
  const decide = (target: string) => table.match(makeFacts({ target }));
  assert.throws(() => decide('/caf%C3%A9/x'), { reason: 'path_ambiguous' });
  assert.equal(decide('/cafe/x').path, '/**', 'twin: plain');
});
