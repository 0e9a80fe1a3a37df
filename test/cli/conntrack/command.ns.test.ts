/**
 * `keepstate conntrack` beside the real `conntrack`, case by case on the same kernel table:
 * standard output, standard error, exit code and the table afterwards. With KEEPSTATE_FULL=1 and
 * KEEPSTATE_CONNTRACK_149 naming the program, beside 1.4.9.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forms, type Form } from '../../../src/cli/conntrack/optionTable';
import { trackingRules } from '../../support/conntrack/flowKernel';
import { differencesOf, withoutChance } from '../../support/cli/conntrackComparison';
import type { CaseResult, ConntrackCase } from '../../support/cli/conntrackCases';
import { differencesFrom147, differencesFrom149 } from '../../support/cli/conntrackDifferences';
import { cells, writtenCases, type Cell } from '../../support/cli/conntrackLines';
import { Lab } from '../../lab/lab';
import type { Host } from '../../lab/host';
import { keepstateCommand } from '../../lab/keepstateProgram';
import { typescriptCommand } from '../../lab/runTypescript';
import { sleep, waitFor } from '../../lab/waitFor';

jest.setTimeout(300_000);

let lab: Lab;
let host: Host;
let enter: string[];

/** Both programs find the names of labels where connlabel.conf(5) says. */
const labelNames = '1 lab\n2 other\n127 last\n';

beforeAll(async () => {
  lab = await Lab.open();
  [host] = (await lab.hosts('table')) as [Host];
  await host.nft(trackingRules);
  await host.sysctl({
    'net.netfilter.nf_conntrack_acct': 1,
    'net.netfilter.nf_conntrack_events': 1,
    'net.netfilter.nf_conntrack_timestamp': 1,
  });
  const etc = host.path('etc');
  mkdirSync(join(etc, 'xtables'), { recursive: true });
  writeFileSync(join(etc, 'xtables/connlabel.conf'), labelNames);
  const script = `mount -t overlay overlay -o lowerdir=${etc}:/etc /etc && exec "$@"`;
  enter = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
});

afterAll(async () => {
  await lab.close();
});

async function compare(
  cases: readonly ConntrackCase[],
  real: readonly string[],
): Promise<CaseResult[]> {
  const file = host.file('cases.json', JSON.stringify(cases));
  const program = typescriptCommand('test/support/cli/conntrackCases.ts');
  const text = await host.exec([...enter, ...program, file, ...real], {
    timeoutMilliseconds: 300_000,
  });
  return JSON.parse(text) as CaseResult[];
}

/**
 * Lines that differ without being known to, and kinds of known differences of which no line shows
 * one.
 */
function surprises(results: readonly CaseResult[], known: readonly RegExp[]): string[] {
  const differing = results.filter((result) => differencesOf(result).length > 0);
  return [
    ...differing
      .filter(({ line }) => !known.some((one) => one.test(line)))
      .map((result) => `${result.line}\n${differencesOf(result).join('\n')}`),
    ...known
      .filter((one) => !differing.some(({ line }) => one.test(line)))
      .map((one) => `no line differs by ${one.source}`),
  ];
}

/** -E that is allowed does not end by itself, and help and version are our own. */
const isComparable = ({ form, cell }: Cell): boolean =>
  (!form.startsWith('-E') || cell === '-') && (!['-V', '-h'].includes(form) || cell === '-');

test('each cell of the tables, and lines of every kind, are what the real conntrack does', async () => {
  const all = cells();
  const compared = all.filter(isComparable).map((cell) => cell.case);
  const lines = writtenCases();
  expect(compared.length).toBeGreaterThan(1_000);
  expect(lines.length).toBeGreaterThan(350);
  const results = await compare([...compared, ...lines], ['conntrack']);
  expect(surprises(results, differencesFrom147)).toEqual([]);
  process.stdout.write(`${printed(all)}\n`);
});

test('events are those of conntrack -E, in each form and with each filter', async () => {
  const lines = [
    ...['', '-o xml', '-o timestamp', '-o id,extended', '-o save', '-o ktimestamp', '-o labels'],
    ...['-o xml,timestamp', '-e NEW', '-e UPDATES', '-e DESTROY', '-e NEW,DESTROY', '-e all'],
    ...['-p udp', '-p udp --sport 1', '-m 7', '-w 3', '-n', '-s 192.0.2.10', '-d 203.0.113.0/24'],
    ...['-j', '-f ipv6', '-l lab', '--orig-zone 4', '-b 400000', '-r 198.51.100.20'],
  ];
  // Before anybody listens: programs that start earlier would see more of it.
  await host.exec(['conntrack', '-F']);
  const programs = lines.map((line) => {
    const words = ['-E', ...line.split(' ').filter((word) => word !== '')];
    return {
      line,
      ours: host.start([...enter, ...keepstateCommand(), 'conntrack', ...words]),
      theirs: host.start([...enter, 'conntrack', ...words]),
    };
  });
  const change = (line: string): Promise<string> =>
    host.exec([...enter, 'conntrack', ...line.split(' ')]);
  const listening = programs.flatMap(({ ours, theirs }) => [ours, theirs]);
  await waitFor(async () => (await listeners(host)) >= listening.length, {
    description: 'all listeners',
    timeout: 60_000,
  });
  const tcp = '-p tcp --dport 2 --state ESTABLISHED -t 100 -d 198.51.100.20';
  await change(
    '-I -s 192.0.2.10 -d 198.51.100.20 -p udp -t 100 --sport 1 --dport 2 -m 7 --label-add lab',
  );
  await change(`-I -s 192.0.2.11 ${tcp} --sport 1 -u SEEN_REPLY,ASSURED -w 3`);
  await change(`-I -s 192.0.2.12 ${tcp} --sport 9 -n 203.0.113.9:40`);
  await change(`-I -s 192.0.2.13 ${tcp} --sport 9 --orig-zone 4`);
  await change('-I -s ::1 -d ::2 -p icmpv6 -t 100 --icmpv6-type 128 --icmpv6-code 0');
  await change('-U -s 192.0.2.10 -p udp -m 8');
  await change('-D -p tcp');
  await change('-D -p udp');
  await change('-D -f ipv6');
  await waitFor(() => programs[0]!.ours.stdout.includes('[DESTROY] icmpv6'), {
    description: 'the last event',
  });
  // All have it that wanted it: each socket was told before the deletion returned.
  await sleep(1_000);
  for (const each of listening) each.signal('SIGINT');
  await Promise.all(listening.map((each) => each.exited()));
  for (const { line, ours, theirs } of programs) {
    const [own, real] = [ours, theirs].map(({ stdout, stderr }) => events(stdout + stderr));
    expect(`-E ${line}\n${own}`).toBe(`-E ${line}\n${real}`);
  }
});

test('the program answers under the name conntrack, by a symbolic link', async () => {
  const link = host.path('conntrack');
  await host.exec(['ln', '-s', keepstateCommand()[1]!, link]);
  const version = await host.exec([process.execPath, link, '-V']);
  expect(version).toBe('conntrack v1.4.9 (conntrack-tools)\n');
  const wrong = await host.tryExec([process.execPath, link, '-L', '-Q']);
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
});

if (process.env['KEEPSTATE_FULL'] === '1') {
  test('cells and lines are those of conntrack 1.4.9', async () => {
    const program = process.env['KEEPSTATE_CONNTRACK_149'];
    if (program === undefined)
      throw new Error('KEEPSTATE_CONNTRACK_149: where is conntrack 1.4.9?');
    expect(await host.exec([program, '-V'])).toContain('1.4.9');
    const cases = [
      ...cells()
        .filter(isComparable)
        .map((cell) => cell.case),
      ...writtenCases(),
    ];
    expect(surprises(await compare(cases, [program]), differencesFrom149)).toEqual([]);
  });
}

/** Events without what chance brings: who caused them, when, and stamps. */
function events(text: string): string {
  return withoutChance(
    text
      .replace(/ \[USERSPACE\].*$/gm, '')
      .replace(/\[\d+\.\d+\]\t/g, '[stamp]\t')
      .replace(/\[stop=[^\]]*\]/g, '[stop]')
      .replace(/<stop>\d+/g, '<stop>N')
      .replace(/<when>.*<\/when>/g, '<when/>')
      .replace(/^( *\[\w+\] (?:ipv[46] +\d+ )?\S+ +\d+) \d+ /gm, '$1 T ')
      .replace(/^(\[stamp\]\t *\[\w+\] \S+ +\d+) \d+ /gm, '$1 T '),
  );
}

/** Sockets of the namespace that are in conntrack groups. */
async function listeners(table: Host): Promise<number> {
  const lines = (await table.exec(['cat', '/proc/net/netlink'])).split('\n');
  return lines.filter((line) => {
    const [, family, , groups = '0'] = line.trim().split(/\s+/);
    return family === '12' && (Number.parseInt(groups, 16) & 7) !== 0;
  }).length;
}

/** Option x command: R required, o allowed, a dash for "not allowed"; each cell was compared. */
function printed(all: readonly Cell[]): string {
  const names = [...new Set(all.map(rowName))];
  const header = `${''.padEnd(26)}${forms.map((form) => short(form).padEnd(4)).join('')}`;
  const lines = names.map((name) => {
    const row = forms.map(
      (form) => all.find((cell) => rowName(cell) === name && cell.form === form)?.cell ?? ' ',
    );
    return `${name.padEnd(26)}${row.map((cell) => cell.padEnd(4)).join('')}`;
  });
  return [header, ...lines].join('\n');
}

const rowName = ({ protocol, option }: Cell): string =>
  `${protocol === undefined ? '' : `${protocol} `}--${option.name}`;

const short = (form: Form): string => form.replace(' expect', 'x');
