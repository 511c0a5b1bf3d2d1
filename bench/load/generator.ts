/** Where requests go. */
export interface Target {
  readonly port: number;
  /** present: TLS with this client certificate; PEM */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
}

/** One stretch of load: kept-alive connections, each with one request under way at any time. */
export interface Slice {
  readonly target: Target;
  /** complete requests without body, one behind the other as they go on the wire */
  readonly requestsFile: string;
  /** whether the requests may be sent again from the first when all have been sent */
  readonly repeat: boolean;
  readonly connections: number;
  readonly seconds: number;
}

export interface SliceResult {
  /** answered with 200 */
  readonly requests: number;
  /** every other answer, and connections that failed; 0 in a run that counts */
  readonly failures: number;
  /** from the first request to the last answer */
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** all requests had been sent before the time was over, so that nothing here but `failures` means anything */
  readonly ranOut: boolean;
  /** processor time of the generator itself, whole slice */
  readonly generatorUs: number;
}

/** Something that makes load, in a process of its own. */
export interface Generator {
  readonly name: string;
  /** @param onStart - called right before the load starts */
  run(slice: Slice, onStart: () => void): Promise<SliceResult>;
  close(): void;
}
