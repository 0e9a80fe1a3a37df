/** What goes into a package, and what does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledPackages, isRuntimeFile } from '../../scripts/package/application.js';
import { verify } from '../../scripts/package/nodeRelease.js';
import { repositoryRoot } from '../lab/runTypescript.js';

test('another file than the pinned Node.js is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-pin-'));
  try {
    const path = join(folder, 'node.tgz');
    writeFileSync(path, 'abc');
    // FIPS 180-2, example C.1.
    const sum =
      'sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==';
    expect(() => verify(path, sum)).not.toThrow();
    writeFileSync(path, 'abd');
    expect(() => verify(path, sum)).toThrow('not the pinned file');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('run-time packages go along, those of development and types do not', () => {
  const names = bundledPackages(repositoryRoot).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['commander', 'netlink', 'winston', 'prom-client']));
  expect(names.filter((name) => /^(jest|typescript|eslint|@types\/.*)$/.test(name))).toEqual([]);
});

test.each([
  ['index.js', true],
  ['LICENSE', true],
  ['prebuilds/linux-x64/node.napi.node', true],
  ['prebuilds/linux-arm64/node.napi.node', false],
  ['test/index.js', false],
  ['index.d.ts', false],
  ['node_modules/other/index.js', false],
])('%s of a package goes along: %s', (name, isWanted) => {
  expect(isRuntimeFile(name, 'x64')).toBe(isWanted);
});
