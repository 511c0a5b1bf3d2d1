// What it costs to judge a path, before any credential is looked at. See docs/performance.md.
import { RouteTable } from '#holdfast/policy/routes.js';
import { makeFacts } from '../test/support/facts.js';
import { longPlainPath, manyRoutes, shortPlainPath, worstPaths } from '../test/support/path-loads.js';
import { describeMachine } from './report.js';

const runs = 400;
const batch = 5;

/** The least of many runs, µs. */
function measure(table: RouteTable, target: string): number {
  const facts = makeFacts({ target });
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = process.hrtime.bigint();
    for (let time = 0; time < batch; time++) judge(table, facts);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / 1000 / batch);
  }
  return least;
}

function judge(table: RouteTable, facts: ReturnType<typeof makeFacts>): void {
  try {
    table.match(facts);
  } catch {
    // Refused: what that costs is counted.
  }
}

console.log(`${describeMachine()}; paths of ${longPlainPath.length} bytes`);
console.log('| policy   | routes | short plain µs | plain µs | worst µs | ratio | worst path     |');
console.log('|----------|-------:|---------------:|---------:|---------:|------:|----------------|');
for (const count of [1, 100, 500]) {
  for (const [policy, routes] of Object.entries(manyRoutes(count))) {
    const table = new RouteTable(routes);
    const short = measure(table, shortPlainPath);
    const plain = measure(table, longPlainPath);
    const [worst, path] = worstPaths
      .map((target) => [measure(table, target), target] as const)
      .reduce((one, other) => (other[0] > one[0] ? other : one));
    const cells = [
      policy.padEnd(8),
      String(count).padStart(6),
      short.toFixed(1).padStart(14),
      plain.toFixed(1).padStart(8),
      worst.toFixed(1).padStart(8),
      (worst / plain).toFixed(1).padStart(5),
      path.slice(0, 14),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
