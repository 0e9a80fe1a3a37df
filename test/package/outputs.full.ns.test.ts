/** The packages as they are given away: equal bytes, lintian, sizes, and those of arm64. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tryRun } from '../lab/command.js';
import { makePackages } from './makePackages.js';

jest.setTimeout(1_800_000);

const version = '0.0.7';
const names = [
  `keepstate_${version}_amd64.deb`,
  `keepstate-nodejs_${version}_amd64.deb`,
  `keepstate-${version}.tgz`,
];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-outputs-'));
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder, name));
    await makePackages(join(folder, name), {
      ...{ version, only: ['deb', 'nodejs', 'tgz'], node: 'pinned' },
    });
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each(names)('two runs give the same %s', (name) => {
  const [one, two] = ['one', 'two'].map((run_) =>
    createHash('sha256')
      .update(readFileSync(join(folder, run_, name)))
      .digest('hex'),
  );
  expect(one).toBe(two);
});

test('as they are given away, in xz, they are no larger than promised', async () => {
  const output = join(folder, 'xz');
  mkdirSync(output);
  await makePackages(output, {
    ...{ version, only: ['deb', 'nodejs'], node: 'pinned', compression: 'xz' },
  });
  const [whole = 0, slim = 0] = names.slice(0, 2).map((name) => statSync(join(output, name)).size);
  expect(whole).toBeLessThan(45_000_000);
  expect(slim).toBeLessThan(4_000_000);
});

test.each(names.slice(0, 2))('lintian finds no error in %s', async (name) => {
  const words = ['lintian', '--allow-root', '--fail-on', 'error', join(folder, 'one', name)];
  const { exitCode, stdout } = await tryRun(words, { timeoutMilliseconds: 900_000 });
  expect({ exitCode, errors: stdout.split('\n').filter((line) => line.startsWith('E:')) }).toEqual({
    exitCode: 0,
    errors: [],
  });
});

test('the packages of arm64 hold programs of arm64, which run', async () => {
  const output = join(folder, 'arm64');
  mkdirSync(output);
  await makePackages(output, {
    ...{ version, only: ['deb', 'nodejs'], node: 'pinned', architecture: 'arm64' },
  });
  const root = join(output, 'root');
  await run(['dpkg-deb', '--extract', join(output, `keepstate_${version}_arm64.deb`), root]);
  const app = join(root, 'usr/lib/keepstate/app');
  const addon = join(app, 'prebuilds/linux-arm64/keepstate_native.node');
  expect(await run(['readelf', '-h', addon])).toMatch(/Machine: +AArch64/);
  const node = join(root, 'usr/lib/keepstate/bin/keepstate');
  const emulated = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu', node];
  const load = `require(${JSON.stringify(addon)}); console.log(process.arch)`;
  expect(await run([...emulated, '-e', load])).toBe('arm64\n');
  expect(await run([...emulated, join(app, 'bin/keepstate'), '--version'])).toBe(`${version}\n`);
});
