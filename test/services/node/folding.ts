import { createServer } from 'node:http';
import { answer, dispatch, listen } from './answer.js';

/** Decodes as often as it finds something to decode, then tells no letter case, width or white space apart. */
listen(
  createServer((request, response) => {
    let path = request.url?.replace(/\?.*$/s, '') ?? '';
    for (let previous = ''; path !== previous; ) [previous, path] = [path, decode(path)];
    path = path
      .replace(/;.*$/s, '')
      .normalize('NFKC')
      .toUpperCase()
      .toLowerCase()
      .split('/')
      .map((segment) => segment.trim().replace(/\.+$/, ''))
      .join('/');
    answer(request, response, path, dispatch(path));
  }),
);

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
