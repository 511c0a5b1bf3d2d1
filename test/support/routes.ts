import type { RouteOptions } from '#holdfast/policy/route-options.js';

/** A route that demands any proof, unless the test says otherwise. */
export function makeRoute(path: string, changes: Partial<RouteOptions> = {}): RouteOptions {
  return {
    path,
    methods: [],
    proof: 'any',
    issuers: [],
    audience: [],
    scopes: [],
    claims: new Map(),
    clients: [],
    websocket: false,
    encodedSlashes: 'refuse',
    preflight: 'refuse',
    ...changes,
  };
}
