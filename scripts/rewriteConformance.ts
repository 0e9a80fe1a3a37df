/**
 * `npm run conformance:rewrite`: writes anew what the conformance cases of VRRP, of the sync
 * worker's role and of the agreement expect. Review the difference; never rewrite and fix in one commit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import {
  agreementCaseFiles,
  renderAgreementCase,
  splitCases,
} from '../test/support/agreement/agreementConformance.js';
import { renderPairCase } from '../test/support/agreement/pairCases.js';
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

const each = (render: (text: string) => string) => (text: string) =>
  splitCases(text)
    .map((one) => render(one))
    .join('\n');
const rewritten =
  rewrite(caseFiles(), renderCase) +
  rewrite(roleCaseFiles(), renderRoleFile) +
  rewrite(agreementCaseFiles(), each(renderAgreementCase)) +
  rewrite(agreementCaseFiles('cases'), each(renderPairCase));
process.stdout.write(`${rewritten} files rewritten\n`);
