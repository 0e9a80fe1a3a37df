/**
 * Command lines for comparing with the real `conntrack`: those of a file, and one for each cell of
 * the option tables.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cellOf,
  forms,
  optionRows,
  type Form,
  type OptionRow,
} from '../../../src/cli/conntrack/optionTable';
import { protocolRows, type ProtocolRow } from '../../../src/cli/conntrack/protocolTable';
import type { ConntrackCase } from './conntrackCases';

/**
 * test/vectors/conntrack/lines.txt: `+ LINE` makes the table for the lines behind it, up to the
 * next blank line; a line may end in `< INPUT`, where `\n` ends a line of standard input.
 */
export function writtenCases(): ConntrackCase[] {
  const text = readFileSync(join(__dirname, '../../vectors/conntrack/lines.txt'), 'utf8');
  return text.split('\n\n').flatMap((group) => {
    const lines = group.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const setup = lines.filter((line) => line.startsWith('+ ')).map((line) => line.slice(2));
    return lines
      .filter((line) => !line.startsWith('+ '))
      .map((line) => {
        const [words = '', input] = line.split(' < ');
        return {
          setup,
          line: words,
          ...(input === undefined ? {} : { input: `${input.replaceAll('\\n', '\n')}\n` }),
        };
      });
  });
}

export interface Cell {
  readonly form: Form;
  readonly protocol: string | undefined;
  readonly option: OptionRow;
  /** `R`, `o` or `-`. */
  readonly cell: string;
  readonly case: ConntrackCase;
}

const flow = '-s 192.0.2.10 -d 198.51.100.20';
const expected =
  `${flow} -t 50 --tuple-src 203.0.113.5 --tuple-dst 203.0.113.6 ` +
  '--mask-src 255.255.255.255 --mask-dst 255.255.255.255';

/** What stands beside `-p PROTOCOL` and its words, so that the option is what is decided about. */
const bases: Partial<Record<Form, string>> = {
  '-I': `${flow} -t 50`,
  '-A': `${flow} -t 50`,
  '-U': '-s 192.0.2.10',
  '-G': flow,
  '-I expect': expected,
  '-G expect': flow,
  '-D expect': flow,
};

/** A row that is fit for all options that no protocol brings. */
const plain = '-I -s 192.0.2.10 -d 198.51.100.20 -t 60 -p 77 -u SEEN_REPLY';

/** An argument of each kind, by option. */
const values: Readonly<Record<string, string>> = {
  src: '192.0.2.10',
  dst: '198.51.100.20',
  'reply-src': '198.51.100.20',
  'reply-dst': '192.0.2.10',
  protonum: '77',
  timeout: '50',
  status: 'ASSURED',
  'event-mask': 'NEW',
  'tuple-src': '203.0.113.5',
  'tuple-dst': '203.0.113.6',
  'mask-src': '255.255.255.255',
  'mask-dst': '255.255.255.255',
  'nat-range': '192.0.2.1',
  family: 'ipv4',
  'src-nat': '203.0.113.9',
  'dst-nat': '203.0.113.9',
  'any-nat': '203.0.113.9',
  output: 'id',
  'buffer-size': '40000',
  label: 'lab',
  'label-add': 'lab',
  'label-del': 'lab',
  labelmap: '/etc/xtables/connlabel.conf',
  role: 'client',
};

/**
 * One case for each option beside each command. `-E` runs until interrupted: only its refusals are
 * among them.
 */
export function cells(): Cell[] {
  const generic = optionRows.map((option) => ({ option, protocol: undefined }));
  const special = protocolRows.flatMap((protocol) =>
    protocol.options.map((option) => ({ option, protocol })),
  );
  return [...generic, ...special].flatMap(({ option, protocol }) =>
    forms
      .filter(
        (form) => protocol === undefined || (cellOf(namesProtocol, form) !== '-' && form !== '-h'),
      )
      .map((form) => cellFor(form, option, protocol)),
  );
}

const namesProtocol = optionRows.find(({ name }) => name === 'protonum')!;

function cellFor(form: Form, option: OptionRow, protocol: ProtocolRow | undefined): Cell {
  const isNamed = cellOf(namesProtocol, form) === 'R';
  const number = protocol?.name ?? (isNamed ? '77' : undefined);
  const words = (protocol?.options ?? [])
    .filter((one) => one !== option && cellOf(one, form) === 'R')
    .concat(
      (protocol?.options ?? []).filter((one) => one !== option && isOfPair(one, form, protocol)),
    )
    .map((one) => argumentOf(one, protocol));
  const needsMask = option.name.startsWith('mask-') && option.cells.startsWith('o');
  const line = [
    form,
    bases[form] ?? '',
    needsMask && form !== '-I expect' ? flow : '',
    number === undefined ? '' : `-p ${number}`,
    ...new Set(words),
    argumentOf(option, protocol),
  ];
  return {
    form,
    protocol: protocol?.name,
    option,
    cell: cellOf(option, form),
    case: {
      setup: form === '-I' || form === '-A' ? [] : [plain],
      line: line.filter((word) => word !== '').join(' '),
    },
  };
}

/** -I, -A and -G want one whole pair of ports. */
function isOfPair(option: OptionRow, form: Form, protocol: ProtocolRow | undefined): boolean {
  if (!['-I', '-A', '-G'].includes(form)) return false;
  return protocol?.pair?.original.includes(option.name) === true;
}

function argumentOf(option: OptionRow, protocol: ProtocolRow | undefined): string {
  const states: Readonly<Record<string, string>> = { dccp: 'OPEN' };
  const value =
    option.name === 'state' ? (states[protocol?.name ?? ''] ?? 'ESTABLISHED') : values[option.name];
  // conntrack crashes at the long name of this one.
  if (option.name === 'id') return '-i 8';
  return option.argument === 'none' ? `--${option.name}` : `--${option.name} ${value ?? '8'}`;
}
