/**
 * Writes docs/problems.md from the table of problems: run it from the built tree (npm run
 * build:ts).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemsPage } from '../src/daemon/problemTable/page.js';

writeFileSync(join(process.cwd(), 'docs/problems.md'), problemsPage());
