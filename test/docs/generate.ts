import { mkdirSync, writeFileSync } from 'node:fs';
import { docsDirectory, pages } from './pages.js';

mkdirSync(docsDirectory, { recursive: true });
for (const [name, write] of pages) {
  writeFileSync(new URL(name, docsDirectory), write());
  console.log(`docs/${name}`);
}
