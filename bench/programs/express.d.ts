// The little of express that bench and test use. Types of the whole would be a package for ten lines.
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  export type Request = IncomingMessage & { readonly originalUrl: string };
  export type Handler = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void;
  export interface Router {
    use(handler: Handler): void;
    use(path: string, handler: Handler): void;
    all(path: string, handler: Handler): void;
  }
  export default function express(): RequestListener & Router;
}
