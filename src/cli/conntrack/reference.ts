/** docs/conntrack.md: made of the tables that the parser uses. */
import { cellOf, commandRows, forms, optionRows, type OptionRow } from './optionTable.js';
import { protocolRows } from './protocolTable.js';

const introduction = `# keepstate conntrack

\`keepstate conntrack ...\` is conntrack(8) of conntrack-tools 1.4.9: the same words, texts, messages and exit codes, so
that nobody has to keep that package beside keepstate. It needs no daemon, but root or CAP_NET_ADMIN. A symbolic link of
the name \`conntrack\` to \`bin/keepstate\` gives it that name:

\`\`\`
ln -s /usr/bin/keepstate /usr/local/sbin/conntrack
\`\`\`

This page is made of the tables that the command itself uses (\`npm run docs:conntrack\`). What is different on purpose stands
in docs/differences.md.

Exit code: 0 done; 1 the kernel refused, or \`-D\`, \`-U\` and \`-G\` found nothing; 2 wrong command line. Entries go to standard
output, everything else to standard error. A list is written as it is read: its memory does not grow with the table.
`;

const beyond = `## Beyond conntrack

\`-o json\` writes one object per line, with the names of \`keepstate flows kernel --json\`. \`keepstate flows\` has filters without
\`-p\` and the caches of the daemon; \`keepstate conntrack\` refuses what conntrack refuses.

Files: \`/etc/protocols\` for \`-p\`, \`/etc/xtables/connlabel.conf\` (or \`--labelmap\`) for labels. Marks, zones, ids and protocol
numbers may be decimal, octal (\`010\`) or hexadecimal (\`0x8\`); ports, timeouts, ICMP parts and SCTP tags are decimal.
`;

export function conntrackReference(): string {
  return [
    introduction,
    '## Commands\n',
    table(
      ['Command', 'Meaning'],
      [
        ...commandRows.map((row) => [
          `\`-${row.letter}\`, ${row.names.map((name) => `\`--${name}\``).join(', ')}`,
          row.help,
        ]),
        [
          '`-R`, `--load-file` FILE',
          'one of -I, -A, -U, -D, -F per line; all lines are checked before the first is carried out; first word only',
        ],
      ],
    ),
    '\n## Options\n',
    optionTable(optionRows),
    '\n## Which option stands where\n',
    '`R` must be there, `o` may be there, empty: refused. `x` is the table of expectations; -L of the tables dying and unconfirmed is as -L.\n',
    legalityTable(optionRows),
    ...protocolRows.flatMap((protocol) => [
      `\n## Behind -p ${protocol.name}\n`,
      optionTable(protocol.options),
      '',
      legalityTable(protocol.options),
    ]),
    '',
    beyond,
  ].join('\n');
}

function optionTable(rows: readonly OptionRow[]): string {
  return table(
    ['Option', 'Argument', 'Meaning'],
    rows.map((row) => [
      [
        ...(row.letter === undefined ? [] : [`\`-${row.letter}\``]),
        ...[row.name, ...(row.aliases ?? [])].map((name) => `\`--${name}\``),
      ].join(', '),
      (row.value ?? '').replaceAll('|', ' or '),
      row.help,
    ]),
  );
}

function legalityTable(rows: readonly OptionRow[]): string {
  return table(
    ['', ...forms.map((form) => form.replace(' expect', 'x'))],
    rows.map((row) => [
      `\`--${row.name}\``,
      ...forms.map((form) => cellOf(row, form).replace('-', '')),
    ]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
