/** Building the addon where there is no internet. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../lab/runTypescript.js';

interface NodeGyp {
  readonly headersFolder: (
    execPath: string,
    exists?: (path: string) => boolean,
  ) => string | undefined;
}

// A program of the build's, in plain JavaScript.
const { headersFolder } = jest.requireActual<NodeGyp>('../../../scripts/nodeGyp.cjs');

test('headers beside Node.js are found, and are not made up where there are none', () => {
  const exists = (path: string): boolean => path === '/opt/node/include/node/node.h';
  expect(headersFolder('/opt/node/bin/node', exists)).toBe('/opt/node');
  expect(headersFolder('/usr/bin/node', exists)).toBeUndefined();
});

test('the build is configured without a download, with an empty cache and no server', () => {
  const headers = headersFolder(process.execPath);
  if (headers === undefined) throw new Error('this Node.js has no headers: install its headers');
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-gyp-'));
  try {
    cpSync(join(repositoryRoot, 'binding.gyp'), join(folder, 'binding.gyp'));
    const done = spawnSync(
      process.execPath,
      [join(repositoryRoot, 'scripts/nodeGyp.cjs'), 'configure', '--directory', folder],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          npm_config_nodedir: undefined,
          // Of this process alone (npm run asan).
          LD_PRELOAD: undefined,
          npm_config_devdir: join(folder, 'cache'),
          npm_config_disturl: 'http://127.0.0.1:9',
        },
      },
    );
    if (done.status !== 0) throw new Error(done.stderr);
    expect(readFileSync(join(folder, 'build/config.gypi'), 'utf8')).toContain(
      `"nodedir": "${headers}"`,
    );
    expect(existsSync(join(folder, 'cache'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
