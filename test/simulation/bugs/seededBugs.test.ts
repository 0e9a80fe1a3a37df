import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../lab/runTypescript.js';
import { seededBugs } from './seededBugs.js';

test.each(seededBugs.map((bug) => [bug.name, bug] as const))(
  '%s changes one place of src',
  (_name, { file, from, to }) => {
    const text = readFileSync(join(repositoryRoot, file), 'utf8');
    expect(text.split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  },
);

test('there are fifty at least, twenty of them faults that the project had, each with its name', () => {
  expect(seededBugs.length).toBeGreaterThanOrEqual(50);
  expect(seededBugs.filter(({ past }) => past !== undefined).length).toBeGreaterThanOrEqual(20);
  expect(new Set(seededBugs.map(({ name }) => name)).size).toBe(seededBugs.length);
});
