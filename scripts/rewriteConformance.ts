/**
 * `npm run conformance:rewrite`: writes anew what the VRRP conformance cases expect. Review the
 * difference; never rewrite and fix in one commit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { caseFiles, renderCase } from '../test/support/vrrp/conformance.js';

let rewritten = 0;
for (const path of caseFiles()) {
  const before = readFileSync(path, 'utf8');
  const after = renderCase(before);
  if (after === before) continue;
  writeFileSync(path, after);
  rewritten += 1;
}
process.stdout.write(`${rewritten} cases rewritten\n`);
