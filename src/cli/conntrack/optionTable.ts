/**
 * The words of the `conntrack` command (conntrack(8) 1.4.9): commands, options, and in which
 * commands an option may stand. The parser, the help, docs/conntrack.md and the table that the
 * tests walk through are all made of these rows.
 */

/**
 * One column of the legality table: a command, and the table that it works on where that makes a
 * difference.
 */
export const forms = [
  '-L',
  '-I',
  '-A',
  '-U',
  '-D',
  '-G',
  '-E',
  '-F',
  '-C',
  '-S',
  '-V',
  '-h',
  '-L expect',
  '-I expect',
  '-G expect',
  '-D expect',
  '-E expect',
  '-F expect',
  '-C expect',
  '-S expect',
] as const;

export type Form = (typeof forms)[number];

export const tables = ['conntrack', 'expect', 'dying', 'unconfirmed'] as const;
export type TableName = (typeof tables)[number];

export interface CommandRow {
  readonly letter: string;
  readonly names: readonly string[];
  /** Whether a table may follow. */
  readonly takesTable: boolean;
  readonly help: string;
}

export const commandRows: readonly CommandRow[] = [
  {
    letter: 'L',
    names: ['dump'],
    takesTable: true,
    help: 'list a table, or what the filters choose',
  },
  { letter: 'G', names: ['get'], takesTable: true, help: 'show one entry' },
  { letter: 'D', names: ['delete'], takesTable: true, help: 'delete what the filters choose' },
  {
    letter: 'I',
    names: ['create'],
    takesTable: true,
    help: 'create an entry; fails if there is one',
  },
  {
    letter: 'A',
    names: ['add'],
    takesTable: true,
    help: 'create an entry, or update the one that is there',
  },
  { letter: 'U', names: ['update'], takesTable: true, help: 'change what the filters choose' },
  { letter: 'E', names: ['event'], takesTable: true, help: 'show events until interrupted' },
  { letter: 'F', names: ['flush'], takesTable: true, help: 'empty a table' },
  { letter: 'C', names: ['count'], takesTable: true, help: 'number of entries' },
  { letter: 'S', names: ['stats'], takesTable: true, help: "the kernel's counters, per processor" },
  { letter: 'V', names: ['version'], takesTable: false, help: 'version' },
  {
    letter: 'h',
    names: ['help'],
    takesTable: true,
    help: 'this text; with -p also the words of that protocol',
  },
];

export type ArgumentKind = 'none' | 'required' | 'optional';

export interface OptionRow {
  /** The long name that messages call it by; also the key under which a value is found. */
  readonly name: string;
  readonly letter?: string;
  /** Other long names. */
  readonly aliases?: readonly string[];
  readonly argument: ArgumentKind;
  /** How the argument is called in the help. */
  readonly value?: string;
  readonly help: string;
  /** One character per form: `R` required, `o` allowed, `-` not allowed. */
  readonly cells: string;
}

/** In the order in which they are checked. */
export const optionRows: readonly OptionRow[] = [
  row('src', 's', 'ADDRESS[/PREFIX]', 'original source', 'ooooooo-----' + '-RRR----', ['orig-src']),
  row('dst', 'd', 'ADDRESS[/PREFIX]', 'original destination', 'ooooooo-----' + '-RRR----', [
    'orig-dst',
  ]),
  row('reply-src', 'r', 'ADDRESS', 'source of the reply direction', 'ooooooo-----' + '-ooo----'),
  row(
    'reply-dst',
    'q',
    'ADDRESS',
    'destination of the reply direction',
    'ooooooo-----' + '-ooo----',
  ),
  row(
    'protonum',
    'p',
    'PROTOCOL',
    'name or number; the words of a protocol stand behind it',
    'oRRooRo----o' + '-RRR----',
    ['proto'],
  ),
  row('timeout', 't', 'SECONDS', 'timeout to set', '-RRoo-------' + '-R------'),
  row(
    'status',
    'u',
    'WORD[,...]',
    'ASSURED, SEEN_REPLY, FIXED_TIMEOUT, EXPECTED, OFFLOAD, HW_OFFLOAD, UNSET; in filters also UNREPLIED and !WORD',
    'ooooo-------' + '-o------',
  ),
  flag('zero', 'z', 'zero the counters after reading them', 'o-----------' + '--------'),
  row('event-mask', 'e', 'WORD[,...]', 'ALL, NEW, UPDATES, DESTROY', '------o-----' + '--------'),
  row(
    'tuple-src',
    undefined,
    'ADDRESS[/PREFIX]',
    'source of the expected flow',
    '------------' + '-R------',
  ),
  row(
    'tuple-dst',
    undefined,
    'ADDRESS[/PREFIX]',
    'destination of the expected flow',
    '------------' + '-R------',
  ),
  row(
    'mask-src',
    undefined,
    'ADDRESS',
    'mask of --src, or of --tuple-src',
    'o--oo-o-----' + '-R------',
  ),
  row(
    'mask-dst',
    undefined,
    'ADDRESS',
    'mask of --dst, or of --tuple-dst',
    'o--oo-o-----' + '-R------',
  ),
  row('nat-range', 'a', 'ADDRESS', 'ignored', 'oooooooooooo' + 'oooooooo'),
  row('mark', 'm', 'MARK[/MASK]', 'mark, to match or to set', 'ooooo-o-----' + '--------'),
  row('id', 'i', 'ID', "the kernel's id of a flow", '---ooo------' + '--------'),
  row('family', 'f', 'ipv4|ipv6', 'both without it', 'o--oo-oo----' + 'o-------'),
  row(
    'src-nat',
    'n',
    '[ADDRESS[:PORT]]',
    'source translation, to match or to set',
    'ooooo-o-----' + '--------',
  ),
  row(
    'dst-nat',
    'g',
    '[ADDRESS[:PORT]]',
    'destination translation, to match or to set',
    'ooooo-o-----' + '--------',
  ),
  row('any-nat', 'j', '[ADDRESS[:PORT]]', 'either translation', 'o-----o-----' + '--------'),
  row(
    'output',
    'o',
    'WORD[,...]',
    'xml, extended, save, timestamp, id, ktimestamp, labels, userspace, json',
    'o--oooo-----' + 'o---o---',
  ),
  row('secmark', 'c', 'SECMARK', 'security mark', 'o-----o-----' + '--------'),
  row('buffer-size', 'b', 'BYTES', 'receive buffer for events', '------o-----' + '--------'),
  row('zone', 'w', 'ZONE', 'zone of both directions', 'ooo-o-o-----' + '--------'),
  row('label', 'l', 'LABEL[,...]', 'labels that must be set', 'o--oooo-----' + '--------'),
  row('label-add', undefined, 'LABEL[,...]', 'labels to set', '-ooo--------' + '--------'),
  row(
    'label-del',
    undefined,
    '[LABEL[,...]]',
    'labels to clear; all without a name',
    '---o--------' + '--------',
  ),
  row(
    'orig-zone',
    undefined,
    'ZONE',
    'zone of the original direction',
    'ooo-o-o-----' + '--------',
  ),
  row('reply-zone', undefined, 'ZONE', 'zone of the reply direction', 'ooo-o-o-----' + '--------'),
  row(
    'labelmap',
    undefined,
    'FILE',
    'names of labels, before /etc/xtables/connlabel.conf',
    'o--oo-o-----' + '--------',
  ),
];

/** `value` in brackets is an argument that may be left out. */
export function row(
  name: string,
  letter: string | undefined,
  value: string,
  help: string,
  cells: string,
  aliases: readonly string[] = [],
): OptionRow {
  const argument = value.startsWith('[') ? 'optional' : 'required';
  return {
    name,
    ...(letter === undefined ? {} : { letter }),
    aliases,
    argument,
    value,
    help,
    cells,
  };
}

function flag(name: string, letter: string, help: string, cells: string): OptionRow {
  return { name, letter, argument: 'none', help, cells };
}

/** `R`, `o` or `-`. */
export function cellOf(option: OptionRow, form: Form): string {
  return option.cells[forms.indexOf(form)] ?? '-';
}
