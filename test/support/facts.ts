import { Origins } from '#holdfast/request/authority.js';
import {
  parseRequest,
  type RequestFacts,
  type RequestMessage,
  type RequestRules,
} from '#holdfast/request/facts.js';
import { HeaderNames } from '#holdfast/request/header-names.js';
import { TrustedProxies } from '#holdfast/request/trusted-proxies.js';

/** The identity header names of the default configuration. */
export const identityNames: readonly string[] = [
  'X-Auth-Subject',
  'X-Auth-Type',
  'X-Auth-Client',
  'X-Auth-Issuer',
  'X-Auth-Scope',
  'X-Auth-Proof',
  'X-Auth-Key',
];

/** Rules as the default configuration makes them, for https://api.example. */
export function makeRules(changes: Partial<RequestRules> = {}): RequestRules {
  return {
    names: new HeaderNames(identityNames),
    maxCount: 100,
    refuseOddNames: false,
    origins: new Origins(['https://api.example']),
    pathPrefix: '',
    maxTargetBytes: 8192,
    maxBodyBytes: Number.POSITIVE_INFINITY,
    refuseUnexpectedBody: false,
    pseudonym: 'holdfast-test',
    proxies: new TrustedProxies([]),
    frontsOnly: false,
    ...changes,
  };
}

export interface FactsRequest extends Partial<Omit<RequestMessage, 'rawHeaders'>> {
  /** name, value, …; a Host field is put in front unless `host` is false */
  readonly headers?: readonly string[];
  readonly host?: false;
  readonly rules?: Partial<RequestRules>;
}

/** The facts of a request, `GET / HTTP/1.1` to https://api.example unless the test says otherwise. */
export function makeFacts({ headers = [], host, rules, ...message }: FactsRequest = {}): RequestFacts {
  return parseRequest(
    {
      requestId: 'request-1',
      method: 'GET',
      target: '/',
      httpVersion: '1.1',
      rawHeaders: host === false ? headers : ['Host', 'api.example', ...headers],
      remoteAddress: '192.0.2.1',
      certificate: undefined,
      ...message,
    },
    makeRules(rules),
  );
}
