/**
 * Writes docs/configuration.md from the keyword tables: run it from the built tree (npm run
 * build:ts).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationReference } from '../src/config/reference.js';

writeFileSync(join(process.cwd(), 'docs/configuration.md'), configurationReference());
