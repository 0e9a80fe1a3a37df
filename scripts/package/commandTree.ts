/** Commander's tree as plain data, for manual pages and completions. */
import { Help, type Command, type Option } from 'commander';

export interface CommandOption {
  /** `-f, --config <file>`. */
  readonly flags: string;
  readonly description: string;
  readonly short?: string;
  readonly long?: string;
  /** The word in <> or []: what a value is. */
  readonly value?: string;
  readonly choices: readonly string[];
}

export interface CommandNode {
  readonly name: string;
  /** `[options] <file>`. */
  readonly usage: string;
  readonly description: string;
  readonly options: readonly CommandOption[];
  readonly commands: readonly CommandNode[];
  /** What its arguments may be, where that is a list: sections, `on` and `off`. */
  readonly words: readonly string[];
  /** What stands behind the lists of `--help`: examples and remarks. */
  readonly remarks: string;
}

const help = new Help();

export function commandTree(command: Command): CommandNode {
  return {
    name: command.name(),
    usage: command.usage(),
    description: command.description(),
    options: help.visibleOptions(command).map(optionOf),
    commands: help
      .visibleCommands(command)
      .filter((each) => each.name() !== 'help')
      .map(commandTree),
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    remarks: remarksOf(command),
  };
}

function optionOf(option: Option): CommandOption {
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  return {
    flags: option.flags,
    description: option.description,
    ...(option.short === undefined ? {} : { short: option.short }),
    ...(option.long === undefined ? {} : { long: option.long }),
    ...(value === undefined ? {} : { value }),
    choices: option.argChoices ?? [],
  };
}

function remarksOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text.replace(command.helpInformation(), '').trim();
}
