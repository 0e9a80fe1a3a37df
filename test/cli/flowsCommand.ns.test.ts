/**
 * `keepstate flows kernel|events` beside the real `conntrack`, on a table that holds every kind of
 * flow.
 */
import { Lab } from '../lab/lab.js';
import type { Host } from '../lab/host.js';
import { keepstateCommand } from '../lab/keepstateProgram.js';
import { waitFor } from '../lab/waitFor.js';

const keepstate = (...args: string[]): string[] => [...keepstateCommand(), 'flows', ...args];

const four = '-s 192.0.2.10 -d 198.51.100.9';
const six = '-s 2001:db8::a -d 2001:db8::b';
const nat = '-s 10.1.0.5 -d 198.51.100.20';
/** One of each protocol, NAT kind, mark, zone, helper and family. */
const flows = [
  `${four} -t 600 -u SEEN_REPLY,ASSURED -p tcp --sport 40000 --dport 443 --state ESTABLISHED`,
  `${four} -t 600 -p tcp --sport 40003 --dport 443 --state SYN_SENT`,
  `${four} -t 600 -u SEEN_REPLY -p tcp --sport 40004 --dport 443 --state TIME_WAIT -m 305441741`,
  `${nat} -t 600 -u SEEN_REPLY,ASSURED -p tcp --sport 40001 --dport 443 --state ESTABLISHED --src-nat 203.0.113.5:60001`,
  `${nat} -t 600 -u SEEN_REPLY -p udp --sport 5000 --dport 53 --dst-nat 10.9.9.9:5353`,
  `${nat} -t 600 -u SEEN_REPLY,ASSURED -p udp --sport 5001 --dport 53 --src-nat 203.0.113.5:5001 --dst-nat 10.9.9.9:53`,
  `${four} -t 600 -p udp --sport 5353 --dport 53`,
  `${four} -t 600 -u SEEN_REPLY -p udplite --sport 5355 --dport 53`,
  `${four} -t 600 -u SEEN_REPLY -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 1226`,
  `${six} -t 600 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77`,
  `${four} -t 600 -u SEEN_REPLY,ASSURED -p sctp --sport 1000 --dport 2000 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2`,
  `${four} -t 600 -u SEEN_REPLY -p gre --srckey 0 --dstkey 34827`,
  `-s 0.0.0.0 -d 224.0.0.22 -t 600 -p 2`,
  `${four} -t 600 -p 50`,
  `${four} -t 600 -u SEEN_REPLY -p udp --sport 1 --dport 2 --zone 5`,
  `${four} -t 600 -u SEEN_REPLY -p udp --sport 3 --dport 2 --orig-zone 6`,
  `${four} -t 600 -u SEEN_REPLY -p udp --sport 4 --dport 2 --reply-zone 7`,
  `${six} -t 600 -u SEEN_REPLY,ASSURED -p tcp --sport 7 --dport 22 --state ESTABLISHED`,
  `${six} -t 600 -u SEEN_REPLY,ASSURED,FIXED_TIMEOUT -p tcp --sport 8 --dport 22 --state CLOSE_WAIT`,
  `${six} -t 600 -u SEEN_REPLY,ASSURED -p tcp --sport 9 --dport 22 --state ESTABLISHED --src-nat [2001:db8::99]:30225`,
];

/** Lines without what differs between two readings: use counts and running timeouts; sorted. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replace(/ use=\d+/, '')
        .replace(/<use>\d+<\/use>/, '')
        .replace(/<timeout>\d+<\/timeout>/, '')
        .replace(/^((?:\S+ +\d+ +)?\S+ +\d+) \d+/, '$1')
        .replace(/(delta-time=|<deltatime>)\d+/, '$1?'),
    )
    .sort();
}

let lab: Lab;
let host: Host;

beforeAll(async () => {
  lab = await Lab.open();
  [host] = (await lab.hosts('table')) as [Host];
  await host.sysctl({
    'net.netfilter.nf_conntrack_acct': 1,
    'net.netfilter.nf_conntrack_events': 1,
    'net.netfilter.nf_conntrack_timestamp': 1,
  });
  await host.nft('table ip n { chain c { type nat hook postrouting priority 100; }; }');
  for (const flow of flows) await host.exec(['conntrack', '-I', ...flow.split(/ +/)]);
});

afterAll(async () => {
  await lab.close();
});

test('kernel prints the lines of conntrack -L for every kind of flow', async () => {
  const ours = await host.exec(keepstate('kernel'));
  const theirs = await host.exec(['conntrack', '-L']);
  expect(lines(ours)).toHaveLength(flows.length);
  expect(lines(ours)).toEqual(lines(theirs));
});

test('--xml prints what conntrack -o xml prints', async () => {
  const ours = await host.exec(keepstate('kernel', '--xml'));
  const theirs = await host.exec(['conntrack', '-L', '-o', 'xml']);
  expect(lines(ours)).toEqual(lines(theirs));
});

test('--extended --id print what conntrack -o extended,id prints', async () => {
  const ours = await host.exec(keepstate('kernel', '--extended', '--id'));
  const theirs = await host.exec(['conntrack', '-L', '-o', 'extended,id']);
  expect(lines(ours)).toEqual(lines(theirs));
});

test.each([
  [['-p', 'tcp', '--state', 'ESTABLISHED']],
  [['-f', 'ipv6']],
  [['-s', '192.0.2.0/24', '-p', 'udp']],
  [['-p', 'udp', '--dport', '2', '--zone', '5']],
  [['-m', '305441741']],
])('the filter %j chooses as conntrack does', async (filter) => {
  const spelled = filter.map((word) => ({ '--zone': '-w' })[word] ?? word);
  const ours = await host.exec(
    keepstate('kernel', ...filter.map((word) => (word === '-m' ? '--mark' : word))),
  );
  const theirs = await host.exec(['conntrack', '-L', ...spelled]);
  expect(lines(ours).length).toBeGreaterThan(0);
  expect(lines(ours)).toEqual(lines(theirs));
});

test('--json gives one object per flow, --count their number', async () => {
  const objects = lines(await host.exec(keepstate('kernel', '--json'))).map(
    (line) => JSON.parse(line) as { protocol: string; mark: number },
  );
  expect(objects).toHaveLength(flows.length);
  expect(objects.filter(({ protocol }) => protocol === 'sctp')).toHaveLength(1);
  expect((await host.exec(keepstate('kernel', '--count'))).trim()).toBe(String(flows.length));
});

test('a wrong filter is explained with exit 2, an empty choice is exit 0', async () => {
  const wrong = await host.tryExec(keepstate('kernel', '--src', '10.0.0'));
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('expected an address');
  const empty = await host.tryExec(keepstate('kernel', '--dport', '9999'));
  expect(empty.exitCode).toBe(0);
  expect(empty.stdout).toBe('');
});

test('events prints what conntrack -E prints at the same time', async () => {
  const ours = host.start(keepstate('events'));
  const theirs = host.start(['conntrack', '-E']);
  const marker = (n: number): string[] =>
    `conntrack -I -t 600 -p udp --sport ${n} --dport 7 -s 192.0.2.77 -d 192.0.2.78`.split(' ');
  // Both listen when they have printed one of these.
  let port = 1000;
  await waitFor(
    async () => {
      await host.exec(marker(++port));
      return [ours, theirs].every((each) => each.stdout.includes('192.0.2.77'));
    },
    { description: 'both listeners' },
  );
  await host.exec('conntrack -U -s 192.0.2.10 -p udp --sport 5353 -t 77'.split(' '));
  await host.exec('conntrack -D -p sctp'.split(' '));
  await host.exec('conntrack -D -f ipv6 -p tcp'.split(' '));
  await host.exec(marker(999));
  await waitFor(() => [ours, theirs].every((each) => each.stdout.includes('sport=999 ')), {
    description: 'the last event on both',
  });
  const after = (text: string): string[] =>
    lines(text)
      .filter((line) => !line.includes('192.0.2.77') || line.includes('sport=999 '))
      .map((line) => line.replace(/(\] \S+ +\d+) \d+/, '$1').replace(/ progname=\S+/, ''));
  expect(after(ours.stdout).length).toBeGreaterThan(4);
  expect(after(ours.stdout)).toEqual(after(theirs.stdout));
  await ours.stop();
  await theirs.stop();
});
