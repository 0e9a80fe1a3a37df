import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageVersion } from '../../src/base/packageVersion.js';
import { repositoryRoot } from '../lab/runTypescript.js';

test('the version is that which npm reads', () => {
  const packageFile = join(repositoryRoot, 'package.json');
  const script = `process.stdout.write(require(${JSON.stringify(packageFile)}).version)`;
  const version = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(packageVersion()).toBe(version);
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
});
