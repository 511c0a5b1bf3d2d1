import { createServer } from 'node:http';
import express, { type Handler } from 'express';
import { answer, listen } from './answer.js';

const app = express();
const serve =
  (handler: string): Handler =>
  (request, response) =>
    answer(request, response, request.originalUrl.replace(/\?.*$/s, ''), handler);
for (const name of ['admin', 'bank', 'keys', 'transfers']) app.use(`/${name}`, serve(name));
app.all('/reports/export', serve('report'));
app.use(serve('open'));
listen(createServer(app));
