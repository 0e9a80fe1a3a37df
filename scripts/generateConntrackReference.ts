/** Writes docs/conntrack.md from the tables of the command: `npm run docs:conntrack`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conntrackReference } from '../src/cli/conntrack/reference.js';

writeFileSync(join(process.cwd(), 'docs/conntrack.md'), conntrackReference());
