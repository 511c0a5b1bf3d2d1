// The little of express that the peer uses. Types of the whole would be a package for ten lines.
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  export type Request = IncomingMessage;
  export type Handler = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void;
  export default function express(): RequestListener & { use(handler: Handler): void };
}
