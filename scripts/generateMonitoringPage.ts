/** Writes docs/monitoring.md from the table of metrics (npm run docs:monitoring). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitoringPage } from '../src/http/monitoringPage.js';

writeFileSync(join(process.cwd(), 'docs/monitoring.md'), monitoringPage());
