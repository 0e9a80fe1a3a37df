import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootRows } from '../../src/config/keywords/rootRows.js';
import { configurationReference } from '../../src/config/reference.js';
import type { Row, Rows } from '../../src/config/table/row.js';

function allRows(rows: Rows): readonly (readonly [string, Row<unknown>])[] {
  return Object.entries(rows).flatMap(([name, row]) => [
    [name, row] as const,
    ...(row.support.kind === 'supported' ? allRows(row.type.block?.rows ?? {}) : []),
  ]);
}

describe('the reference page', () => {
  test('is what the keyword tables say (npm run docs:configuration)', () => {
    const page = readFileSync(join(__dirname, '../../docs/configuration.md'), 'utf8');
    expect(page).toBe(configurationReference());
  });

  test('names every keyword, and why it has no effect or what to do instead', () => {
    const page = configurationReference();
    for (const [name, row] of allRows(rootRows)) {
      expect(page).toContain(`\`${name}\``);
      if (row.support.kind === 'no-effect') expect(page).toContain(row.support.reason);
      if (row.support.kind === 'not-supported') expect(page).toContain(row.support.alternative);
    }
  });

  test('each supported keyword has a meaning', () => {
    const silent = allRows(rootRows).filter(
      ([, row]) => row.support.kind === 'supported' && row.help === '',
    );
    expect(silent.map(([name]) => name)).toEqual([]);
  });
});
