'use strict';
/**
 * node jestCounts.cjs RESULTS FAILURES: reads what `jest --json` wrote, prints "passed failed
 * skipped" and writes one line per failure to FAILURES. A test file that could not run counts as
 * one failure.
 */
const fs = require('node:fs');
const path = require('node:path');

const [resultsFile, failuresFile] = process.argv.slice(2);
const results = JSON.parse(fs.readFileSync(resultsFile, 'utf8'));
const failures = [];
let brokenFiles = 0;
for (const file of results.testResults) {
  const name = path.relative(process.cwd(), file.name);
  const failed = file.assertionResults.filter((one) => one.status === 'failed');
  for (const one of failed) failures.push(`${name}: ${one.fullName}`);
  if (file.status === 'failed' && failed.length === 0) {
    brokenFiles++;
    failures.push(`${name}: ${firstReason(file.message)}`);
  }
}
fs.writeFileSync(failuresFile, failures.map((line) => `${line}\n`).join(''));
const skipped = results.numPendingTests + results.numTodoTests;
process.stdout.write(
  `${results.numPassedTests} ${results.numFailedTests + brokenFiles} ${skipped}\n`,
);

/** The first line of jest's message that is neither a heading nor empty, without colours. */
function firstReason(message) {
  const lines = message.replace(/\x1b\[[0-9;]*m/g, '').split('\n');
  return (
    lines.map((line) => line.trim()).find((line) => line !== '' && !line.startsWith('●')) ?? ''
  );
}
