/**
 * Splits a command line into options and their arguments as getopt_long(3) does: short options may
 * be bundled, long ones cut short where that is unmistakable, and words between options are left
 * alone. The words of a protocol are known only behind the `-p` that names it, so each option is
 * handed on before the next one is looked at.
 */
import { commandRows, optionRows, type CommandRow, type OptionRow } from './optionTable.js';
import { usage } from './refusal.js';

export interface OptionListener {
  /** Words of the protocol that was named so far. */
  protocolOptions(): readonly OptionRow[];
  onCommand(command: CommandRow, table: string | undefined): void;
  /** `argument` is undefined where none was given. */
  onOption(option: OptionRow, argument: string | undefined): void;
}

type Found =
  | { readonly kind: 'command'; readonly row: CommandRow }
  | { readonly kind: 'option'; readonly row: OptionRow };

/** Throws Refusal. */
export function scan(args: readonly string[], listener: OptionListener): void {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    if (word === '--') return;
    if (word === '-' || !word.startsWith('-')) continue;
    if (word.startsWith('--')) i += long(word, args[i + 1], listener);
    else i += short(word, args[i + 1], listener);
  }
}

/** How many of the words behind it were taken. */
function long(word: string, next: string | undefined, listener: OptionListener): number {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const found = byLongName(name, listener.protocolOptions());
  if (found === undefined) throw usage(`unknown option \`${word}'`);
  return deliver(found, word, attached, next, listener);
}

function byLongName(name: string, protocolOptions: readonly OptionRow[]): Found | undefined {
  const all: (readonly [string, Found])[] = [
    ...commandRows.flatMap((row) =>
      row.names.map((one) => [one, { kind: 'command', row }] as const),
    ),
    ...[...optionRows, ...protocolOptions].flatMap((row) =>
      [row.name, ...(row.aliases ?? [])].map((one) => [one, { kind: 'option', row }] as const),
    ),
  ];
  const exact = all.find(([one]) => one === name);
  if (exact !== undefined) return exact[1];
  const candidates = new Map(
    all.filter(([one]) => one.startsWith(name)).map(([, found]) => [found.row, found]),
  );
  return candidates.size === 1 ? [...candidates.values()][0] : undefined;
}

function short(word: string, next: string | undefined, listener: OptionListener): number {
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const found = byLetter(letter);
    if (found === undefined) throw usage(`unknown option \`-${letter}'`);
    const rest = word.slice(at + 1);
    const takesRest = found.kind === 'option' && found.row.argument === 'required' && rest !== '';
    const behind = rest === '' ? next : undefined;
    const taken = deliver(found, `-${letter}`, takesRest ? rest : undefined, behind, listener);
    if (takesRest) return 0;
    if (taken > 0) return taken;
  }
  return 0;
}

function byLetter(letter: string): Found | undefined {
  const command = commandRows.find((row) => row.letter === letter);
  if (command !== undefined) return { kind: 'command', row: command };
  const option = optionRows.find((row) => row.letter === letter);
  return option === undefined ? undefined : { kind: 'option', row: option };
}

function deliver(
  found: Found,
  word: string,
  attached: string | undefined,
  next: string | undefined,
  listener: OptionListener,
): number {
  const isWord = next?.startsWith('-') === false;
  if (found.kind === 'command') {
    const table = found.row.takesTable && isWord ? next : undefined;
    listener.onCommand(found.row, table);
    return table === undefined ? 0 : 1;
  }
  if (found.row.argument === 'none' || attached !== undefined) {
    listener.onOption(found.row, attached);
    return 0;
  }
  if (found.row.argument === 'required') {
    if (next === undefined) throw usage(`option \`${word}' requires an argument`);
    listener.onOption(found.row, next);
    return 1;
  }
  listener.onOption(found.row, isWord ? next : undefined);
  return isWord ? 1 : 0;
}
