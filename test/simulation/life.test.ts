import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';
import { seededBugs } from './bugs/seededBugs.js';
import { openSeeds } from './openSeeds.js';
import { simulate } from './simulate.js';

/** The machine may be busy with other tests. */
jest.setTimeout(1_800_000);

test('a thousand lives of one virtual minute break no promise but in those that are open', () => {
  const { text } = simulate(['--lives', '1000', '--workers', '2']);
  expect(text).toContain('1000 lives, 16.7 virtual hours');
  const broken = [...text.matchAll(/^seed (\d+): .*/gm)];
  expect(
    broken.filter(([, seed]) => !openSeeds.includes(Number(seed))).map(([line]) => line),
  ).toEqual([]);
});

test('the same seed gives the same life, each line of its story', () => {
  const first = simulate(['--seed', '7', '--story']);
  expect(first.code).toBe(0);
  expect(first.text.split('\n').length).toBeGreaterThan(50);
  expect(simulate(['--seed', '7', '--story']).text).toBe(first.text);
});

describe('lives in which a fault was found', () => {
  const lives = join(repositoryRoot, 'test/simulation/lives');
  const names = readdirSync(lives).map((name) => name.replace('.json', ''));

  test('there are some, each named after the seeded bug that brings the fault back', () => {
    expect(names.length).toBeGreaterThanOrEqual(3);
    expect(names.filter((name) => !seededBugs.some((bug) => bug.name === name))).toEqual([]);
  });

  test.each(names)('%s: broken with the fault, kept without it', (name) => {
    const plan = ['--plan', join(lives, `${name}.json`), '--story'];
    expect(simulate(plan).text).toContain('all promises kept');
    const bug = seededBugs.find((one) => one.name === name);
    const { code, text } = simulate(plan, bug);
    expect(text).toContain('BROKEN');
    expect(code).toBe(1);
  });
});

test('the page of the command names each promise, and a wrong option is refused', () => {
  const { code, text } = simulate(['--help']);
  expect(code).toBe(0);
  for (const name of ['flow-kept', 'lifetime', 'no-master', 'status-true']) {
    expect(text).toContain(name);
  }
  expect(simulate(['--seed', 'x']).code).toBe(2);
});
