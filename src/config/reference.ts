/** docs/configuration.md out of the keyword tables. */
import { instanceRows } from './keywords/instanceRows.js';
import { rootRows } from './keywords/rootRows.js';
import { warningCodes } from './warningCodes.js';
import type { Row, Rows } from './table/row.js';

const head = `# Configuration reference

Generated from the keyword tables (\`npm run docs:configuration\`); a test fails when this page is stale.

One file configures a node. It holds keepalived's blocks and conntrackd's blocks in any order:
\`cat keepalived.conf conntrackd.conf\` is a valid configuration. Each keyword is **supported**, accepted
**without effect** (\`check\` says so, with the reason given here), or **refused** (with what to do instead).
Supported keywords whose meaning begins with *no effect* are read without a word:
they stand in most files, and nothing has to be changed.
keepstate's own keywords stand in keepalived-style blocks and are marked **ours**.

In keepalived's blocks a statement is a line; \`#\` and \`!\` start comments; \`"..."\` is one word; \`\\"\`,
\`\\\\\`, \`\\$\`, \`\\#\` and \`\\!\` stand for the character. \`include PATTERN\`, \`$NAME=value\`, \`\${NAME}\`, \`@id line\`,
\`@^id line\`, \`~SEQ(...)\` and \`~LST(...)\` work as in keepalived 2.2.7, outside conntrackd's blocks. In conntrackd's blocks (\`Sync\`,
\`General\`, \`Stats\`) line ends mean nothing and \`#\` alone starts a comment.
`;

/** The whole page. */
export function configurationReference(): string {
  const sections = [section('Root level', rootRows, 2)];
  const blocks = nestedBlocks(rootRows, []);
  for (const { path, rows } of blocks) sections.push(section(path.join(' / '), rows, 2));
  return [head, ...sections, refusedSection(), warningSection()].join('\n');
}

/** Words of ip-route(8) and ip-rule(8) that keepalived takes and keepstate does not. */
function refusedSection(): string {
  const rows = [...Object.entries(rootRows), ...Object.entries(instanceRows)];
  const keywordsOf = new Map<string, string[]>();
  for (const [name, { type }] of rows as readonly (readonly [string, Row<unknown>])[]) {
    if (type.refusedWords === undefined) continue;
    const words = [...type.refusedWords].sort().map(code).join(', ');
    keywordsOf.set(words, [...(keywordsOf.get(words) ?? []), name]);
  }
  const lines = [...keywordsOf].map(
    ([words, names]) => `- ${names.map(code).join(', ')}: ${words}`,
  );
  return ['## Words that are refused inside a value\n', ...lines, ''].join('\n');
}

function warningSection(): string {
  const lines = Object.entries(warningCodes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { meaning, migrate }]) => `| ${code(name)} | ${meaning} | ${migrate ?? ''} |`);
  return [
    '## Warnings\n',
    'The word in [brackets] behind a warning of `check`. `accept_warning CODE ["reason"]` in `global_defs` says that it',
    'is known: it is then counted as accepted, also with `--strict`. What `keepstate migrate` does with it: it *drops*',
    'the line, which does nothing; it *accepts* it, because a peer may go by the line; otherwise it writes down what is',
    'taken, where there is such a thing.\n',
    '| Code | Meaning | migrate |',
    '|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

interface NestedBlock {
  readonly path: readonly string[];
  readonly rows: Rows;
}

function nestedBlocks(rows: Rows, path: readonly string[]): readonly NestedBlock[] {
  return Object.entries(rows).flatMap(([name, row]) => {
    const inner = row.type.block?.rows;
    if (inner === undefined || row.support.kind !== 'supported') return [];
    const here = [...path, name];
    return [{ path: here, rows: inner }, ...nestedBlocks(inner, here)];
  });
}

function section(title: string, rows: Rows, level: number): string {
  const entries = Object.entries(rows);
  const supported = entries.filter(([, row]) => row.support.kind === 'supported');
  const others = entries.filter(([, row]) => row.support.kind !== 'supported');
  const heading = title === 'Root level' ? title : `\`${title}\``;
  const parts = [`${'#'.repeat(level)} ${heading}\n`];
  if (supported.length > 0) {
    parts.push('| Keyword | Value | Unit | Default | Meaning |', '|---|---|---|---|---|');
    parts.push(...supported.map(([name, row]) => supportedLine(name, row)), '');
  }
  if (others.length > 0) {
    parts.push('| Keyword | Meaning | Here |', '|---|---|---|');
    parts.push(...others.map(([name, row]) => otherLine(name, row)), '');
  }
  return parts.join('\n');
}

function supportedLine(name: string, row: Row<unknown>): string {
  const value = row.type.name === '(alone)' ? '' : code(row.type.name);
  const cells = [spellings(name, row), value, row.unit ?? '', row.default ?? '', meaning(row)];
  return `| ${cells.map(escapeCell).join(' | ')} |`;
}

function otherLine(name: string, row: Row<unknown>): string {
  const cells = [spellings(name, row), meaning(row), supportText(row)];
  return `| ${cells.map(escapeCell).join(' | ')} |`;
}

function supportText({ support }: Row<unknown>): string {
  switch (support.kind) {
    case 'supported':
      return '';
    case 'no-effect':
      return `without effect: ${support.reason}`;
    case 'not-supported':
      return `refused; instead: ${support.alternative}`;
  }
}

function spellings(name: string, row: Row<unknown>): string {
  const others = [...(row.negation === undefined ? [] : [row.negation]), ...row.aliases];
  return [name, ...others].map(code).join(', ');
}

function meaning(row: Row<unknown>): string {
  const marks = [
    ...(row.source === 'keepstate' ? ['**ours**'] : []),
    ...(row.source === 'keepalived 2.4' ? ['(keepalived 2.4)'] : []),
    ...(row.repeats ? ['(may repeat)'] : []),
  ];
  return [row.help, ...marks].join(' ').trim();
}

function code(text: string): string {
  return `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
