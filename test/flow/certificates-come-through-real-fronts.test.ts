import { describeFront } from '../support/front-cases.js';
import { haproxy, nginx } from '../support/fronted.js';
import { hasProgram } from '../support/fronts.js';

// Envoy, which is in few archives, has to pass the same, with more: npm run test:envoy.
for (const setup of [nginx, haproxy])
  describeFront(setup, hasProgram(setup.program) ? false : `${setup.program} is not on this machine`);
