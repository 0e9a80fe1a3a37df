/** `conntrack -h`: made of the tables that the parser uses. */
import { commandRows, optionRows, tables, type OptionRow } from './optionTable.js';
import { protocolRow, protocolRows } from './protocolTable.js';
import { programVersion } from './report.js';

const column = 44;

/** `protocol`: whose words are shown too. */
export function helpText(protocol?: number): string {
  const named = protocol === undefined ? undefined : protocolRow(protocol);
  return [
    `Command line interface for the connection tracking system, as ${programVersion}, by keepstate.`,
    'Usage: keepstate conntrack COMMAND [TABLE] [OPTIONS], or under the name conntrack by a symbolic link',
    '',
    'Commands:',
    ...commandRows.map((row) => {
      const table = row.takesTable && row.letter !== 'h' ? ' [TABLE]' : '';
      return line(
        `-${row.letter}, ${row.names.map((name) => `--${name}`).join(', ')}${table}`,
        row.help,
      );
    }),
    line('-R, --load-file FILE', 'carry out one command per line; - is standard input'),
    '',
    `Tables: ${tables.join(', ')}. Names may be cut short.`,
    '',
    'Options (docs/conntrack.md says which command takes which):',
    ...optionRows.map(optionLine),
    '',
    ...(named === undefined
      ? [
          `Behind -p: ${protocolRows.map(({ name }) => name).join(', ')} have words of their own, for example`,
          '--sport, --dport and --state. See them with -h -p PROTOCOL.',
        ]
      : [`Words of ${named.name}:`, ...named.options.map(optionLine)]),
    '',
    'Examples:',
    ...examples.flatMap(([what, words]) => [`  ${what}:`, `    $ keepstate conntrack ${words}`]),
    '',
    'Exit code: 0 done; 1 refused by the kernel, or -D, -U and -G found nothing; 2 wrong command line.',
    '',
  ].join('\n');
}

const examples: readonly (readonly [string, string])[] = [
  ['Established connections to a port', '-L -p tcp --dport 443 --state ESTABLISHED'],
  ['Forget the connections of one client', '-D -s 10.1.0.7'],
  ['Watch what is translated', '-E -e NEW -n'],
  ['Keep a table and put it back', '-L -o save > flows && keepstate conntrack -R flows'],
  ['For programs', '-L -o json | jq -r .original.source'],
];

function optionLine(row: OptionRow): string {
  const long = [row.name, ...(row.aliases ?? [])].map((name) => `--${name}`);
  const names = [...(row.letter === undefined ? [] : [`-${row.letter}`]), ...long].join(', ');
  return line(`${names}${row.value === undefined ? '' : ` ${row.value}`}`, row.help);
}

function line(words: string, help: string): string {
  const start = `  ${words}`;
  return start.length < column
    ? `${start.padEnd(column)}${help}`
    : `${start}\n${' '.repeat(column)}${help}`;
}
