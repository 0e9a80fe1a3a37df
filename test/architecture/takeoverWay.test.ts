/** The walk from an advert to the VIP in docs/architecture.md is the one that the code takes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';

const page = readFileSync(join(repositoryRoot, 'docs/architecture.md'), 'utf8');

/** The text of a section, up to the next heading. */
function section(title: string): string {
  const start = page.indexOf(`### ${title}\n`);
  expect(start).toBeGreaterThan(0);
  const end = page.indexOf('\n#', start + 4);
  return page.slice(start, end);
}

const filesIn = (text: string): string[] =>
  [...text.matchAll(/`([a-z][\w/]*\.ts)`/g)].map(([, file = '']) => file);

const roomOf = (file: string): string => file.split('/')[0] ?? '';

test('a takeover runs at most 30 files and enters no room a third time, as the page says', () => {
  const script = ['-r', './scripts/trace.cjs', 'scripts/traceTakeover.ts'];
  const printed = execFileSync(process.execPath, script, { cwd: repositoryRoot, encoding: 'utf8' });
  const [way = '', aside = ''] = printed.split('aside, ');
  const files = (text: string): string[] =>
    [...text.matchAll(/^ {2}(\S+\.ts): /gm)].map(([, file = '']) => file);
  const traced = files(way);
  const rows = section('From an advert to the VIP')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => filesIn(line).slice(0, 1));
  expect(traced).toEqual(rows);
  expect(traced.length).toBeGreaterThan(20);
  const inRooms = [...traced, ...files(aside)].filter((file) => roomOf(file) !== 'base');
  expect(inRooms.length).toBeLessThanOrEqual(30);
  const visits = traced.map(roomOf).filter((room, at, rooms) => room !== rooms[at - 1]);
  const most = Math.max(...visits.map((room) => visits.filter((one) => one === room).length));
  expect(most).toBe(2);
}, 30_000);

test('the other walks name files that exist', () => {
  const walks = [
    'From a line of the configuration to a setting in use',
    '`status`, from the command to the answer',
  ];
  const named = walks
    .flatMap((title) => filesIn(section(title)))
    .filter((file) => file.includes('/'));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !existsSync(join(repositoryRoot, 'src', file)))).toEqual([]);
});
