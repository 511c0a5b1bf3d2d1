import { createServer } from 'node:http';
import { answer, dispatch, listen } from './answer.js';

/** Reads the target as a reference to itself, as most services on plain Node do. */
listen(
  createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://service.test');
    answer(request, response, pathname, dispatch(pathname));
  }),
);
