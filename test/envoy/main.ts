import { describeFront } from '../support/front-cases.js';
import { envoy } from '../support/fronted.js';
import { describeElements } from './elements.js';
import { describePaths } from './paths.js';
import { describeUpgrades } from './upgrades.js';

const [command] = process.argv.slice(2);
if (command === undefined) throw new Error('usage: npm run test:envoy -- /path/to/envoy');

describeFront(envoy(command));
describeFront({ ...envoy(command), http2: true });
describeElements(command);
describePaths(command);
describeUpgrades(command);
