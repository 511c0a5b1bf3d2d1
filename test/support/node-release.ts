/**
 * Whether this Node tells a server the intermediates that came with a trusted client certificate, and frees them. Node 24.21.0
 * and 26.8 do neither, and the start of the sidecar warns of it.
 * @see https://github.com/nodejs/node/issues/65579
 */
export const tellsIntermediates = !/^(?:24\.21\.0|26\.8\.[0-9]+)$/.test(process.versions.node);
