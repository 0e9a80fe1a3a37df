'use strict';
/**
 * node scripts/recordDurations.cjs RESULTS...: writes the seconds of each namespace test file to
 * test/durations.json from what `jest --json --outputFile=RESULTS` wrote. Files that were not part
 * of those runs keep their seconds; files that are gone leave the table.
 */
const fs = require('node:fs');
const path = require('node:path');

const root = path.dirname(__dirname);
const table = path.join(root, 'test/durations.json');
const seconds = fs.existsSync(table) ? JSON.parse(fs.readFileSync(table, 'utf8')) : {};
for (const results of process.argv.slice(2)) {
  for (const file of JSON.parse(fs.readFileSync(results, 'utf8')).testResults) {
    const name = path.relative(root, file.name);
    if (!name.endsWith('.ns.test.ts') || file.status !== 'passed') continue;
    seconds[name] = Math.round((file.endTime - file.startTime) / 1_000);
  }
}
const rows = Object.entries(seconds).filter(([name]) => fs.existsSync(path.join(root, name)));
rows.sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
fs.writeFileSync(table, `${JSON.stringify(Object.fromEntries(rows), undefined, 2)}\n`);
