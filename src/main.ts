#!/usr/bin/env node
import { Signals } from './cli/signals.js';

// Before anything else is loaded: until somebody listens a signal ends the process without a word, and as PID 1 does nothing.
const signals = new Signals();
const { run } = await import('./cli/run.js');
await run(process.argv.slice(2), signals);
