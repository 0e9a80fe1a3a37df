/**
 * Command lines of `conntrack` as requests, and as refusals. The namespace test compares with the
 * real program.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCreate, encodeList, listType } from '../../../src/conntrack/command/flowEncode.js';
import { completeTuples } from '../../../src/conntrack/command/flowPattern.js';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import { looseDecimal, looseNumber, strictNumber } from '../../../src/cli/conntrack/numbers.js';
import { parseArguments } from '../../../src/cli/conntrack/parse.js';
import { conntrackReference } from '../../../src/cli/conntrack/reference.js';
import { Refusal } from '../../../src/cli/conntrack/refusal.js';
import type { Invocation } from '../../../src/cli/conntrack/invocation.js';

const parse = (line: string): Invocation => parseArguments(line.split(' '), () => undefined);

function refusal(line: string): string {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof Refusal) return `${error.exitCode} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

interface RequestVector {
  readonly argv: string;
  readonly sends: readonly { readonly hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(join(__dirname, '../../vectors/netlink/cli-requests.json'), 'utf8'),
) as RequestVector[] | { readonly cases: RequestVector[] };
const requests = Array.isArray(vectors) ? vectors : vectors.cases;

function bytesOf(encode: (out: MessageBatch) => void): string {
  const out = new MessageBatch(1_024);
  encode(out);
  const bytes = Buffer.from(out.written());
  bytes.writeUInt32LE(0, 8);
  return bytes.toString('hex');
}

/** conntrack sends the tags of SCTP in the wrong byte order. */
const creates = requests.filter(({ argv }) => /^-[IA] /.test(argv) && !argv.includes('vtag'));

test.each(creates.map((vector) => [vector.argv, vector] as const))(
  '%s sends the bytes of conntrack 1.4.9',
  (line, { sends }) => {
    const pattern = completeTuples(parse(line).pattern);
    const own = bytesOf((out) => encodeCreate(out, pattern, line.startsWith('-I')));
    expect(own).toBe(sends[0]!.hex);
  },
);

test.each(
  requests
    .filter(({ argv }) => /^-L( -f| -m| -u|$)/.test(argv))
    .map((vector) => [vector.argv, vector] as const),
)('%s lets the kernel choose as conntrack 1.4.9 does', (line, { sends }) => {
  const { family, mark, status } = parse(line).pattern;
  expect(bytesOf((out) => encodeList(out, listType.flows, family, mark, status))).toBe(
    sends[0]!.hex,
  );
});

test.each([
  ['-Z', "2 unknown option `-Z'"],
  ['-L --sport 5', "2 unknown option `--sport'"],
  ['-L -p tcp --sport', "2 option `--sport' requires an argument"],
  ['-L -D', '2 Invalid commands combination'],
  ['-L -t 5', "2 Illegal option `--timeout' with this command"],
  ['-L -p foo', "2 `foo' unsupported protocol"],
  ['-L -s 1.2.3.4 -d ::1', '2 mismatched address family'],
  ['-L -p tcp --state FOO', "2 unknown TCP state `FOO'"],
  ['-L -m foo', "1 unexpected value 'foo' with -m option"],
  ['-L -u assured,FOO', "2 Bad parameter `FOO'"],
  ['-L -o xml,save', '1 cannot combine save output with any other output type, use -o save only'],
  ['-I -s 1.1.1.1', "2 You need to supply the `--protonum' option for this command"],
  ['-I -s 1.1.1.1 -p tcp -t 10', "2 you have to specify `--src' and `--dst'"],
  ['-L -z -p tcp', "2 Can't use -z with filtering parameters"],
  ['-L -j -n', "2 cannot specify `--src-nat' or `--dst-nat' with `--any-nat'"],
  ['-F dying', "2 Can't do that command with tables `dying' and `unconfirmed'"],
])('%s is refused as there', (line, text) => {
  expect(refusal(line)).toBe(text);
});

test('a long option may be cut short where that is unmistakable, a short one carries its argument', () => {
  expect(parse('-L --fam ipv6').pattern.family).toBe(10);
  expect(refusal('-L --stat ASSURED')).toBe("2 unknown option `--stat'");
  expect(parse('-pudp -L -s1.2.3.4').pattern.original).toMatchObject({ protocol: 17 });
  expect(parse('-Lz').given.has('zero')).toBe(true);
});

test('numbers are read as C reads them', () => {
  expect(['5', '010', '0x10', '-1', 'foo', '12x'].map(looseDecimal)).toEqual([5, 10, 0, -1, 0, 12]);
  expect(['5', '010', '0x10', 'foo'].map(looseNumber)).toEqual([5, 8, 16, 0]);
  expect(['5', '010', '0x10', '-1', '1x', ''].map((text) => strictNumber(text, 100))).toEqual([
    5,
    8,
    16,
    undefined,
    undefined,
    undefined,
  ]);
});

test('docs/conntrack.md is made of the tables', () => {
  const page = readFileSync(join(__dirname, '../../../docs/conntrack.md'), 'utf8');
  // npm run docs:conntrack
  expect(page).toBe(conntrackReference());
});
