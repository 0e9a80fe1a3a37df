/** docs/problems.md from the table. Pure. */
import type { ProblemRows } from './row.js';
import { problemSections } from './table.js';

const head = `# Problems

<!-- Written by npm run docs:problems from src/daemon/problemTable. -->

\`keepstate status\` shows each of them with what was seen and what to do; \`status --json\` has them in \`problems[]\`, by the
code below. While one is there, \`status\` exits with 1.

A problem of a *lasting* kind counts after its end too, for an hour or until \`keepstate acknowledge\`: something was
split or lost, and whoever looks once a minute must learn of it. Any other that has ended is shown for an hour,
without changing the exit code.
`;

export function problemsPage(): string {
  const sections = problemSections.map(({ title, rows }) => section(title, rows));
  return [head, ...sections].join('\n');
}

function section(title: string, rows: ProblemRows): string {
  const lines = Object.entries(rows).map(([code, row]) => {
    const kind = row.isLasting === true ? `${row.severity}, lasting` : row.severity;
    return `| \`${code}\` | ${kind} | ${row.begins} | ${row.ends} | ${row.remedy} |`;
  });
  return [
    `## ${title}`,
    '',
    '| Code | Kind | Begins when | Ends when | Do |',
    '|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}
