/**
 * Completions for bash, zsh and fish, from commander's tree: words, choices, files and control
 * sockets.
 */
import type { CommandNode, CommandOption } from './commandTree.js';

const isSocket = ({ long }: CommandOption): boolean => long === '--control';

/** Values that are paths: files of a configuration, folders. */
const isPath = (option: CommandOption): boolean =>
  /file|path|folder|directory|config/i.test(option.value ?? '') && !isSocket(option);

/** Where daemons have theirs. */
const socketFolder = '/run/keepstate';

/** Each command with the words that lead to it: `sync flush`. */
function flat(command: CommandNode, above: string): readonly (readonly [string, CommandNode])[] {
  return command.commands.flatMap((each) => {
    const words = above === '' ? each.name : `${above} ${each.name}`;
    return [[words, each] as const, ...flat(each, words)];
  });
}

const longs = ({ options }: CommandNode): readonly string[] =>
  options.flatMap(({ long, short }) => [long, short]).filter((flag) => flag !== undefined);

const wordsOf = (command: CommandNode): readonly string[] => [
  ...command.commands.map(({ name }) => name),
  ...command.words,
];

export function bashCompletion(program: CommandNode): string {
  const all = [['', program] as const, ...flat(program, '')];
  const cases = all.map(
    ([path, command]) =>
      `    '${path}') words='${[...wordsOf(command), ...longs(command)].join(' ')}' ;;`,
  );
  const known = all.map(([path]) => `'${path}'`).filter((path) => path !== "''");
  const options = all.flatMap(([, { options: each }]) => each);
  const paths = flagsOf(options.filter(isPath));
  const sockets = flagsOf(options.filter(isSocket));
  const choices = options
    .filter((option) => option.choices.length > 0)
    .map((option) => `    ${flagsOf([option])}) words='${option.choices.join(' ')}'; path=- ;;`);
  return `# bash completion for keepstate: generated from its commands.
_keepstate_sockets() {
    local name
    COMPREPLY=()
    for name in "$1"* ${socketFolder}/"$1"*.sock; do
        if [ -S "$name" ] || [ -d "$name" ]; then COMPREPLY+=("$name"); fi
    done
    compopt -o filenames 2>/dev/null
}
_keepstate() {
    local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="\${path:+$path }\${COMP_WORDS[i]}"
        case $word in
        ${known.join('|')}) path=$word ;;
        esac
    done
    case $before in
    ${paths}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames 2>/dev/null; return ;;
    ${sockets}) _keepstate_sockets "$current"; return ;;
${choices.join('\n')}
    esac
    case $path in
    -) ;;
${cases.join('\n')}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    if [ \${#COMPREPLY[@]} -eq 0 ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _keepstate keepstate
`;
}

function flagsOf(options: readonly CommandOption[]): string {
  const flags = options.flatMap(({ short, long }) => [short, long]);
  return [...new Set(flags.filter((flag) => flag !== undefined))].join('|');
}

export function zshCompletion(program: CommandNode): string {
  const cases = program.commands.map((command) => {
    const options = command.options.map((option) => `'${zshOption(option)}'`);
    const words = wordsOf(command);
    const inner = words.length === 0 ? `'*:file:_files'` : `'1:command:(${words.join(' ')})'`;
    return `    ${command.name}) _arguments ${[...options, inner, `'*::word:_files'`].slice(0, options.length + 1).join(' ')} ;;`;
  });
  const described = program.commands.map(
    ({ name, description }) => `        '${name}:${quoted(description)}'`,
  );
  return `#compdef keepstate
# zsh completion for keepstate: generated from its commands.
_keepstate() {
    local -a commands
    commands=(
${described.join('\n')}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
${cases.join('\n')}
    esac
}
_keepstate "$@"
`;
}

function zshOption(option: CommandOption): string {
  const { long, short, value, choices, description } = option;
  const flag = long ?? short ?? '';
  const action = choices.length > 0 ? `(${choices.join(' ')})` : zshAction(option);
  return `${flag}[${quoted(description).replace(/[[\]]/g, '')}]${value === undefined ? '' : `:${value}:${action}`}`;
}

/** Sockets are offered from where they stand, and from anywhere by a path. */
function zshAction(option: CommandOption): string {
  if (isSocket(option)) return `_files -g "*(=)" -W "(. ${socketFolder})"`;
  return isPath(option) ? '_files' : ' ';
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(':', '\\:');
}

export function fishCompletion(program: CommandNode): string {
  const top = program.commands.map(
    ({ name, description }) =>
      `complete -c keepstate -n __fish_use_subcommand -f -a ${name} -d '${fishQuoted(description)}'`,
  );
  const inner = program.commands.flatMap((command) => [
    ...command.commands.map(
      ({ name, description }) =>
        `complete -c keepstate -n '__fish_seen_subcommand_from ${command.name}' -f -a ${name} -d '${fishQuoted(description)}'`,
    ),
    ...command.words.map(
      (word) =>
        `complete -c keepstate -n '__fish_seen_subcommand_from ${command.name}' -f -a ${word}`,
    ),
    ...command.options.map((option) => fishOption(command.name, option)),
  ]);
  return [
    '# fish completion for keepstate: generated from its commands.',
    ...top,
    ...inner,
    '',
  ].join('\n');
}

function fishOption(command: string, option: CommandOption): string {
  const { long, short, value, choices, description } = option;
  const words = [
    ...(long === undefined ? [] : [`-l ${long.replace(/^--/, '')}`]),
    ...(short === undefined ? [] : [`-s ${short.replace(/^-/, '')}`]),
    ...(value === undefined ? [] : [isPath(option) || isSocket(option) ? '-r -F' : '-x']),
    ...(isSocket(option) ? [`-a '(path filter -t socket ${socketFolder}/*.sock)'`] : []),
    ...(choices.length === 0 ? [] : [`-a '${choices.join(' ')}'`]),
  ];
  return `complete -c keepstate -n '__fish_seen_subcommand_from ${command}' ${words.join(' ')} -d '${fishQuoted(description)}'`;
}

function fishQuoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
