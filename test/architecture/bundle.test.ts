/** The programs and threads in one file each, as bin/keepstate and threadFile.ts start them. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tryRun } from '../lab/command.js';
import { keepstateCommand } from '../lab/keepstateProgram.js';
import { repositoryRoot } from '../lab/runTypescript.js';

const folder = join(repositoryRoot, 'dist/bundle');
const programs = ['main', 'run', 'conntrack', 'keepalived'];
const threads = ['worker', 'alertThread', 'thread'];
const textOf = (name: string): string => readFileSync(join(folder, `${name}.js`), 'utf8');

test('each program and thread is there', () => {
  const found = readdirSync(folder).filter((name) => name.endsWith('.js'));
  expect(found.sort()).toEqual([...programs, ...threads].map((name) => `${name}.js`).sort());
});

test.each([...programs, ...threads])('%s loads nothing by a way that the loader lacks', (name) => {
  const text = textOf(name);
  // The loader reads one byte a character.
  expect(/[^\0-\x7f]/.exec(text)).toBeNull();
  // A script of node:vm has no import().
  expect(/[^\w.$]import\(/.exec(text)).toBeNull();
  // Errors tell their class.
  expect(/class \w+Error\d/.exec(text)).toBeNull();
});

test.each(programs)('what V8 has compiled of %s is of use to it', async (name) => {
  const cache = `${name}.js-${process.version}-${process.arch}.cache`;
  // In a process of its own: another test of this one may have changed flags, which count.
  const script = join(repositoryRoot, 'scripts/codeCache.cjs');
  const paths = [`${name}.js`, cache].map((file) => join(folder, file));
  expect(await run([process.execPath, script, '--verify', ...paths])).toBe('accepted\n');
});

describe('started', () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'keepstate-bundle-'));
  });

  afterEach(() => rmSync(scratch, { recursive: true }));

  test('a stack names functions and places', async () => {
    const preload = join(scratch, 'preload.cjs');
    writeFileSync(preload, 'process.stdout.write = undefined;');
    const program = keepstateCommand()[1] ?? '';
    const { stderr } = await tryRun([
      ...[process.execPath, '--require', preload, program, 'check', '--config', 'none.conf'],
    ]);
    expect(stderr).toMatch(/at \w+ \(.*main\.js:\d+:\d+\)/);
  });

  test('without bundles the compiled files serve', async () => {
    const [bin, dist] = [join(scratch, 'bin'), join(scratch, 'dist')];
    mkdirSync(bin);
    mkdirSync(dist);
    cpSync(keepstateCommand()[1] ?? '', join(bin, 'keepstate'));
    symlinkSync(join(repositoryRoot, 'dist/cli'), join(dist, 'cli'));
    const words = [process.execPath, join(bin, 'keepstate'), '--version'];
    expect(await run(words)).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
