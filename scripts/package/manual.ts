/** Manual pages: keepstate(8), one for each verb, and keepstate.conf(5) from the keyword tables. */
import { rootRows } from '../../src/config/keywords/rootRows.js';
import type { Row, Rows } from '../../src/config/table/row.js';
import type { CommandNode, CommandOption } from './commandTree.js';

export interface ManualPage {
  /** `keepstate-status.8`. */
  readonly file: string;
  readonly text: string;
}

/** What a page says of its package. */
export interface ManualRelease {
  readonly version: string;
  /** YYYY-MM-DD. */
  readonly date: string;
}

export function manualPages(program: CommandNode, release: ManualRelease): readonly ManualPage[] {
  const names = program.commands.map(({ name }) => `${program.name}-${name}`);
  return [
    { file: 'keepstate.8', text: programPage(program, names, release) },
    ...program.commands.map((command, i) => ({
      file: `${names[i]}.8`,
      text: commandPage(command, `${program.name} ${command.name}`, names[i] ?? '', release),
    })),
    { file: 'keepstate.conf.5', text: configurationPage(release) },
  ];
}

function programPage(
  program: CommandNode,
  names: readonly string[],
  release: ManualRelease,
): string {
  const commands = program.commands.map((command, i) =>
    tagged(`.BR ${plain(names[i] ?? '')} (8)`, command.description),
  );
  return [
    header('keepstate', 8, release),
    section('NAME', `keepstate \\- ${plain(program.description)}`),
    section('SYNOPSIS', `.B keepstate\n.I command\n[options]`),
    section('COMMANDS', commands.join('')),
    section('OPTIONS', program.options.map(optionText).join('')),
    remarks(program),
    section(
      'SEE ALSO',
      `.BR keepstate.conf (5)${names.map((name) => `,\n.BR ${plain(name)} (8)`).join('')}`,
    ),
  ].join('');
}

function commandPage(
  command: CommandNode,
  words: string,
  title: string,
  release: ManualRelease,
): string {
  const nested = command.commands.map((each) => nestedText(each, words));
  return [
    header(title, 8, release),
    section('NAME', `${plain(title)} \\- ${plain(command.description)}`),
    section('SYNOPSIS', `.B ${plain(words)}\n${plain(command.usage)}`),
    command.options.length === 0
      ? ''
      : section('OPTIONS', command.options.map(optionText).join('')),
    nested.length === 0 ? '' : section('COMMANDS', nested.join('')),
    remarks(command),
    section('SEE ALSO', '.BR keepstate (8),\n.BR keepstate.conf (5)'),
  ].join('');
}

function nestedText(command: CommandNode, above: string): string {
  const words = `${above} ${command.name}`;
  return [
    `.SS ${plain(`${words} ${command.usage}`)}\n${plain(command.description)}\n`,
    ...command.options.map(optionText),
    command.remarks === '' ? '' : verbatim(command.remarks),
    ...command.commands.map((each) => nestedText(each, words)),
  ].join('');
}

/** Tables of keywords, block by block, in the order of docs/configuration.md. */
function configurationPage(release: ManualRelease): string {
  return [
    header('keepstate.conf', 5, release),
    section('NAME', 'keepstate.conf \\- configuration of keepstate'),
    section(
      'DESCRIPTION',
      plain(
        'The blocks of keepalived.conf and conntrackd.conf, in any order in one file, and keywords of keepstate. A concatenation of both files is a configuration. keepstate check shows what is wrong with one.',
      ),
    ),
    section('ROOT LEVEL', rowsText(rootRows)),
    ...blocksOf(rootRows).map(([name, rows]) => section(name, rowsText(rows))),
    section('FILES', '.I /etc/keepstate/keepstate.conf'),
    section(
      'SEE ALSO',
      '.BR keepstate (8),\n.BR keepstate\\-check (8),\n.BR keepstate\\-migrate (8)',
    ),
  ].join('');
}

/** Each block once, under the name of the first keyword that opens it. */
function blocksOf(rows: Rows, seen = new Set<Rows>()): readonly (readonly [string, Rows])[] {
  return Object.entries(rows).flatMap(([name, { type }]) => {
    const inner = type.block?.rows;
    if (inner === undefined || seen.has(inner)) return [];
    seen.add(inner);
    return [[name, inner] as const, ...blocksOf(inner, seen)];
  });
}

function rowsText(rows: Rows): string {
  return Object.entries(rows)
    .map(([name, row]) => tagged(`.BI ${plain(name)} " ${plain(row.type.name)}"`, rowText(row)))
    .join('');
}

function rowText({ help, unit, default: fallback, support, source }: Row<unknown>): string {
  const parts = [
    help,
    ...(unit === undefined ? [] : [`in ${unit}`]),
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    ...(support.kind === 'no-effect' ? [`no effect: ${support.reason}`] : []),
    ...(support.kind === 'not-supported' ? [`not supported; instead: ${support.alternative}`] : []),
    source,
  ];
  return parts.join('; ');
}

function header(name: string, chapter: number, { version, date }: ManualRelease): string {
  return `.TH ${plain(name.toUpperCase())} ${chapter} ${date} "keepstate ${version}"\n`;
}

function section(title: string, text: string): string {
  return `.SH ${title.toUpperCase()}\n${text.replace(/\n$/, '')}\n`;
}

function tagged(tag: string, text: string): string {
  return `.TP\n${tag}\n${plain(text)}\n`;
}

function optionText({ flags, description }: CommandOption): string {
  return tagged(`.B ${plain(flags)}`, description);
}

function remarks({ remarks: text }: CommandNode): string {
  return text === '' ? '' : section('NOTES', verbatim(text));
}

function verbatim(text: string): string {
  return `.nf\n${text.split('\n').map(plain).join('\n')}\n.fi\n`;
}

/** roff takes a backslash, a hyphen, and a dot or quote at the start of a line for itself. */
export function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^([.'])/gm, '\\&$1');
}
