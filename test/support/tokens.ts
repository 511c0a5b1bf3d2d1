import { type TokenContents, VerifiedToken } from '#holdfast/token/verified-token.js';

export interface TokenRequest extends Partial<Omit<TokenContents, 'claims'>> {
  /** claims on top of those that the other members stand for */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** the claim of that name; absent unless given */
  readonly cnf?: unknown;
}

/** A verified token of the user alice, held by the client app; what token/ would have made of a good JWT. */
export function makeToken({ claims = {}, cnf, ...changes }: TokenRequest = {}): VerifiedToken {
  const contents = {
    issuer: 'https://login.example',
    issuerAudience: ['https://api.example'],
    leewaySeconds: 10,
    clientId: 'app',
    subject: 'alice',
    scopes: new Set(['read']),
    audience: ['https://api.example'],
    issuedAtSeconds: 1_800_000_000,
    notBeforeSeconds: undefined,
    expiresAtSeconds: 1_800_000_300,
    tokenId: 'token-1',
    ...changes,
  };
  const { subject, scopes, clientId } = contents;
  const named = {
    ...(subject !== undefined && { sub: subject }),
    client_id: clientId,
    scope: [...scopes].join(' '),
  };
  return VerifiedToken.seal({
    ...contents,
    claims: new Map(Object.entries({ ...named, ...(cnf !== undefined && { cnf }), ...claims })),
  });
}
