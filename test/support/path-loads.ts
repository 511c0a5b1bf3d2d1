import type { RouteOptions } from '#holdfast/policy/route-options.js';
import { makeRoute } from './routes.js';

/** Policies of many strict routes, all of them stricter than the last, which is public: what costs a path most. */
export function manyRoutes(count: number): Readonly<Record<string, readonly RouteOptions[]>> {
  const make = (path: (index: number) => string, demands: (index: number) => Partial<RouteOptions>) => [
    ...Array.from({ length: count }, (_, index) => makeRoute(path(index), demands(index))),
    makeRoute('/**', { proof: 'none' }),
  ];
  return {
    oneDepth: make(
      (index) => `/service${index}/*/items/**`,
      () => ({ proof: 'dpop' }),
    ),
    deep: make(
      (index) => `/api/v1/kind${index}/*`,
      (index) => ({ scopes: [`scope${index}`] }),
    ),
    mixed: make(
      (index) => `/${index % 3 === 0 ? '*' : `a${index % 7}`}/b${index % 11}/*/c${index}`,
      (index) => ({ clients: [`client${index % 5}`] }),
    ),
  };
}

const length = 1800;
const fill = (piece: string, start = '') =>
  (start + piece.repeat(Math.ceil(length / piece.length))).slice(0, length).replace(/%[0-9A-F]?$/, '');

export const shortPlainPath = '/orders/17/items/3';
export const longPlainPath = fill('/plain');

/** Paths that are as long as the plain one, and made to be costly. */
export const worstPaths: readonly string[] = [
  fill('/%C3%A9'),
  fill('/a%20b'),
  fill('/a;b'),
  fill('/x.php'),
  fill('/x.y'),
  fill('/a//b'),
  fill('/(S(x))'),
  fill('/ADMIN~1'),
  fill('/a:b+'),
  fill('a.', '/'),
  fill('%25', '/'),
  fill('%E2%84%AA', '/'),
  fill('/%20x', '/api/v1'),
  fill('/x', '/api/v1/%C3%A9'),
  fill('/%C3%A9', '/x.php'),
  fill('/%C3%A9', '/https://x'),
];
