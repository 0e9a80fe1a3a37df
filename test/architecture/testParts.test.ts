/** Each namespace test is run by `./check`, and by exactly one part of `./check --full`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';

interface TestParts {
  readonly alone: readonly string[];
  readonly parts: Readonly<Record<string, string>>;
}

// A program of the check's, in plain JavaScript.
const { alone, parts } = jest.requireActual<TestParts>('../../scripts/testParts.cjs');

const files = readdirSync(join(repositoryRoot, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ns.test.ts'))
  .map((name) => `test/${name}`);

test('each namespace test belongs to one part, or has the machine for itself', () => {
  const homes = files.map((file) => {
    const found = Object.entries(parts).filter(([, pattern]) => new RegExp(pattern).test(file));
    return [file, found.map(([part]) => part).length];
  });
  expect(files.length).toBeGreaterThan(50);
  expect(homes.filter(([, count]) => count !== 1)).toEqual([]);
});

test('what has the machine for itself exists', () => {
  expect(alone.filter((file) => !files.includes(file))).toEqual([]);
});

test('./check knows the parts, and teaches them', () => {
  const text = readFileSync(join(repositoryRoot, 'check'), 'utf8');
  const known = /all_parts='([^']*)'/.exec(text)?.[1]?.split(' ') ?? [];
  expect(known).toEqual(['unit', 'fuzz', ...Object.keys(parts), 'alone', 'browser']);
  const help = text.slice(text.indexOf('--full [PART...]  '), text.indexOf('--unit  '));
  for (const part of known) expect(help).toMatch(new RegExp(`^ +${part} +\\S`, 'm'));
});
