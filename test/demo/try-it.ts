import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Setting } from './stage.js';

/** What to try by hand while everything runs. */
export function explain({ folder, issuer, origin, adminUrl, serviceUrl }: Setting): string {
  const call = `node ${relative(process.cwd(), fileURLToPath(new URL('./call.js', import.meta.url)))} $DEMO`;
  const curl = 'curl -s --cacert $DEMO/ca.crt';
  const certificate = '--cert $DEMO/warehouse.crt --key $DEMO/warehouse.key';
  return `
Everything is still running. Ctrl-C ends it and removes ${folder}.

  API, through Holdfast   ${origin}/orders/17
  authorization server    ${issuer}
  the service, directly   ${serviceUrl}
  Holdfast's own socket   ${adminUrl}
  its configuration       ${folder}/holdfast.yaml

In another terminal, here:
  DEMO=${folder}

A call with a DPoP proof, and the same kind of token as a bearer token:
  ${call} /orders/17
  ${call} /orders/17 --as-bearer

A token bound to a certificate, and calls with and without that certificate:
  TOKEN=$(${curl} ${certificate} ${issuer}/token \\
    -d grant_type=client_credentials -d client_id=warehouse -d scope=orders:read -d resource=${origin} \\
    | node -p 'JSON.parse(fs.readFileSync(0)).access_token')
  ${curl} -i ${certificate} -H "Authorization: Bearer $TOKEN" ${origin}/orders/17
  ${curl} -i -H "Authorization: Bearer $TOKEN" ${origin}/orders/17

What Holdfast tells clients, and what it tells operators:
  ${curl} ${origin}/.well-known/oauth-protected-resource
  curl -s ${adminUrl}/metrics | grep ^holdfast_requests_total
  curl -s ${adminUrl}/status
`;
}
