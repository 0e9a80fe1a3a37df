/** CHANGELOG.md is read by users: by version and kind, one line for each thing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';

const longest = 100;
const kinds = ['### Upgrade notes', '### Added', '### Changed', '### Fixed', '### Security'];

/** Lines that break the form, each with its fault. */
function faults(text: string): string[] {
  let kind = '';
  return text.split('\n').flatMap((line) => {
    if (line.length > longest) return [`too long: ${line}`];
    if (line.startsWith('## ')) kind = '';
    if (line.startsWith('### ')) {
      kind = line;
      return kinds.includes(line) ? [] : [`no kind: ${line}`];
    }
    if (line.startsWith('- ')) return kind === '' ? [`of no kind: ${line}`] : [];
    return line === '' || kind === '' ? [] : [`not an entry: ${line}`];
  });
}

test('each entry of the changelog is one line of at most 100 characters, below its kind', () => {
  const text = readFileSync(join(repositoryRoot, 'CHANGELOG.md'), 'utf8');
  expect(text.match(/^- /gm)?.length).toBeGreaterThan(100);
  expect(faults(text)).toEqual([]);
});

test('planted: an entry of two lines, of no kind, of a new kind, and a long one', () => {
  const long = `- ${'x'.repeat(longest)}`;
  const text = ['# C', '## 1', '- a', '### Fixed', '- b', '  more', long, '### News', '- c'].join(
    '\n',
  );
  expect(faults(text)).toEqual([
    'of no kind: - a',
    'not an entry:   more',
    `too long: ${long}`,
    'no kind: ### News',
  ]);
});
