/** What the configuration of the demo needs to know of the stage it plays on. */
export interface Surroundings {
  readonly port: number;
  readonly adminPort: number;
  readonly servicePort: number;
  readonly issuer: string;
  /** folder of tls.crt, tls.key and ca.crt */
  readonly folder: string;
}

/**
 * The YAML that Holdfast runs from: the ten lines that protect any service, the CA of the clients that use
 * certificates, and one exception for the client that cannot prove possession yet.
 */
export function writeConfiguration({ port, adminPort, servicePort, issuer, folder }: Surroundings): string {
  const origin = originOf(port);
  return `listen:
  address: 127.0.0.1:${port}
  origins: [${origin}]
  tls:
    certificate: ${folder}/tls.crt
    key: ${folder}/tls.key
    clientCertificates: { mode: optional, ca: [${folder}/ca.crt] }
upstream: http://127.0.0.1:${servicePort}
issuers:
  - issuer: ${issuer}
    audience: ${origin}
exceptions:
  - id: acme-gateway
    kind: bearer
    owner: payments-platform@example.com
    reason: partner gateway cannot sign proofs before its spring release
    ticket: https://tickets.example.com/PAY-1182
    created: ${day(0)}
    expires: ${day(90)}
    clients: [acme-gw]
    routes: [/orders/**]
admin: { address: 127.0.0.1:${adminPort} }
`;
}

/** The origin that clients use; the audience of their tokens too. */
export function originOf(port: number): string {
  return `https://localhost:${port}`;
}

function day(fromToday: number): string {
  return new Date(Date.now() + fromToday * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}
