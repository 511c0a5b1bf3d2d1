import type * as z from 'zod';
import type { Binding } from '../support/bind.js';
import type { Context } from './context.js';
import { checkSocketMode, socketAddress, socketMode } from './listen.js';
import { choice, duration, section } from './scalars.js';

export const adminSchema = section({
  address: socketAddress()
    .prefault('127.0.0.1:9090')
    .describe('Where liveness, readiness, metrics, status and the assertion keys are served, in clear text.'),
  socketMode: socketMode().describe(
    'Permission bits of the file where `address` is a unix socket, as of `listen.socketMode`.',
  ),
});

export function resolveAdmin(settings: z.output<typeof adminSchema>, context: Context): Binding {
  checkSocketMode(['admin'], settings, context);
  return settings;
}

export const logSchema = section({
  level: choice(['debug', 'info', 'warn', 'error']).prefault('info').describe('Lowest level that is logged.'),
});

export const shutdownSchema = section({
  grace: duration({ min: '0s', max: '10m' })
    .prefault('30s')
    .describe('How long requests in flight may take after SIGTERM.'),
});
