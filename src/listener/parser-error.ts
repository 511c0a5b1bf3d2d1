import { Denial } from '../denial/denial.js';

/**
 * What Node's parser refuses by itself, in the words of the catalogue.
 * @returns undefined when the client has gone and there is nobody to answer
 */
export function toDenial({ code, message }: NodeJS.ErrnoException): Denial | undefined {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'HPE_CLOSED_CONNECTION': // the answer was given, and said close
      return undefined;
    case 'HPE_HEADER_OVERFLOW':
      return new Denial('header_fields_too_large', code);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Denial('request_timeout', code);
    default:
      return new Denial('request_malformed', code ?? message);
  }
}
