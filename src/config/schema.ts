import { exceptionsSchema } from './exceptions.js';
import { identitySchema } from './identity.js';
import { issuersSchema } from './issuers.js';
import { listenSchema } from './listen.js';
import { adminSchema, logSchema, shutdownSchema } from './operation.js';
import { dpopSchema, replaySchema } from './proofs.js';
import { routesSchema } from './routes.js';
import { section } from './scalars.js';
import { upstreamSchema } from './upstream.js';

/**
 * The language, whole. What is legal, the defaults, the JSON Schema and the reference page all come from here.
 * @see DESIGN section 2
 */
export const configSchema = section({
  listen: listenSchema.describe('The side that clients connect to.'),
  upstream: upstreamSchema.describe('The service behind. Only a URL: all other options have their defaults.'),
  issuers: issuersSchema.describe('The authorization servers whose access tokens are taken.'),
  dpop: dpopSchema.prefault({}).describe('Proofs of possession (RFC 9449).'),
  replay: replaySchema.prefault({}).describe('The memory of used proofs: each proof passes once.'),
  routes: routesSchema
    .prefault([])
    .describe(
      'What is demanded where. The first path that matches wins; what matches none is answered 404. Empty: one route `/**` with `proof: any`.',
    ),
  identity: identitySchema.prefault({}).describe('What the service gets to know about the caller.'),
  exceptions: exceptionsSchema
    .prefault([])
    .describe(
      'Callers that cannot prove possession yet: named, owned, dated. Everything else about their requests is checked as ever.',
    ),
  admin: adminSchema.prefault({}).describe('The socket for operators.'),
  log: logSchema.prefault({}).describe('JSON lines on standard output.'),
  shutdown: shutdownSchema.prefault({}).describe('What happens on SIGTERM.'),
});

/** Short forms, written out: `upstream: URL`, and no routes. */
export function expandShorthands(
  value: Readonly<Record<string, unknown>>,
  defaultRoutes: unknown,
): Record<string, unknown> {
  const { upstream, routes } = value;
  const noRoutes = routes === undefined || (Array.isArray(routes) && routes.length === 0);
  return {
    ...value,
    ...(typeof upstream === 'string' ? { upstream: { url: upstream } } : {}),
    ...(noRoutes ? { routes: defaultRoutes } : {}),
  };
}
