/**
 * `npm run conformance:rewrite`: writes anew what the conformance cases of VRRP and of the sync
 * worker's role expect. Review the difference; never rewrite and fix in one commit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { renderRoleFile, roleCaseFiles } from '../test/support/sync/roleConformance.js';
import { caseFiles, renderCase } from '../test/support/vrrp/conformance.js';

function rewrite(paths: readonly string[], render: (text: string) => string): number {
  let rewritten = 0;
  for (const path of paths) {
    const before = readFileSync(path, 'utf8');
    const after = render(before);
    if (after === before) continue;
    writeFileSync(path, after);
    rewritten += 1;
  }
  return rewritten;
}

const rewritten = rewrite(caseFiles(), renderCase) + rewrite(roleCaseFiles(), renderRoleFile);
process.stdout.write(`${rewritten} files rewritten\n`);
