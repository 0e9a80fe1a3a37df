import { readFileSync } from 'node:fs';
import { seconds } from '../../../src/base/time.js';
import { dataText } from '../../../src/vrrp/dumps/dataDump.js';
import { jsonText } from '../../../src/vrrp/dumps/jsonDump.js';
import { statsText } from '../../../src/vrrp/dumps/statsDump.js';
import type { VrrpSettings } from '../../../src/vrrp/settings.js';
import { RouterHarness, vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings, ip, password, vip } from '../../support/vrrp/settings.js';

const vectors = JSON.parse(readFileSync(`${__dirname}/../../vectors/vrrp-dumps.json`, 'utf8')) as {
  data: string[];
  stats: string;
  jsonFields: string[];
  statsFields: string[];
};

const settings = vrrpSettings([
  instanceSettings({
    name: 'INT',
    virtualRouterId: 11,
    priority: 50,
    sourceAddress: ip('10.0.0.1'),
    authentication: password('secret'),
    virtualAddresses: [vip('10.0.0.3')],
    notify: { priorityChanges: false, master: { words: ['/x.sh', 'a'] } },
  }),
]);

async function masterOf(all: VrrpSettings): Promise<RouterHarness> {
  const harness = new RouterHarness(all);
  await harness.router.start();
  await harness.time.advance(seconds(4));
  return harness;
}

test('counters have keepalived’s lines', async () => {
  const harness = await masterOf(settings);
  const text = statsText(harness.router.snapshot().instances);
  const shape = (stats: string): string => stats.replace(/\d+/g, 'N');
  expect(shape(text)).toBe(shape(vectors.stats));
  expect(text).toContain('  Became master: 1\n');
  await harness.router.stop();
});

test('JSON has keepalived’s fields in its order, escaped slashes, and no password', async () => {
  const harness = await masterOf(settings);
  const text = jsonText(settings, harness.router.snapshot()) ?? '';
  expect(text.endsWith('}]\n')).toBe(true);
  expect(text).toContain(`"script_master":"'\\/x.sh' 'a'"`);
  expect(text).toContain('"vips":["10.0.0.3\\/24 dev eth0 scope global set"]');
  expect(text).not.toContain('secret');
  const [element] = JSON.parse(text) as {
    data: Record<string, unknown>;
    stats: Record<string, unknown>;
  }[];
  expect(Object.keys(element?.data ?? {})).toEqual(vectors.jsonFields);
  expect(Object.keys(element?.stats ?? {})).toEqual(vectors.statsFields);
  expect(element?.data).toMatchObject({ state: 2, vrid: 11, auth_data: '********', vipset: true });
  await harness.router.stop();
  expect(jsonText(vrrpSettings([]), { units: [], instances: [], statics: [], scripts: [] })).toBe(
    undefined,
  );
});

test('the data dump has the lines that scripts read, and no password', async () => {
  const harness = await masterOf(settings);
  const text = dataText(settings, harness.router.snapshot());
  for (const line of [
    '------< VRRP Topology >------',
    ' VRRP Instance = INT',
    '   State = MASTER',
    '   Master down timer = 3804687 usecs',
    '   Using src_ip = 10.0.0.1 (from configuration)',
    '   Virtual Router ID = 11',
    '   Effective priority = 50',
    '   Advert interval = 1 sec',
    '   Virtual IP (1):',
    '     10.0.0.3/24 dev eth0 scope global set',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toContain('secret');
  await harness.router.stop();
});

test('each line of the data dump is one of keepalived’s, in its order', async () => {
  const tracking = { interfaces: [], files: [], processes: [] };
  const common = { priority: 150, virtualRouterId: 51 };
  const group = vrrpSettings(
    [
      instanceSettings({
        ...common,
        name: 'LAN',
        authentication: password('secret'),
        virtualAddresses: [vip('10.1.0.254')],
        tracking: { ...tracking, scripts: [{ name: 'chk', weight: 0, isReversed: false }] },
      }),
      instanceSettings({
        ...common,
        name: 'WAN',
        virtualRouterId: 52,
        sourceAddress: ip('10.0.0.1'),
        unicastPeers: [{ address: ip('10.0.0.2') }],
        virtualAddresses: [vip('10.2.0.254')],
      }),
    ],
    {
      groups: [
        {
          name: 'GATEWAY',
          members: ['LAN', 'WAN'],
          tracking: { ...tracking, scripts: [] },
          trackingWeight: false,
          notify: { priorityChanges: false },
        },
      ],
      scripts: [
        {
          name: 'chk',
          command: { words: ['/usr/bin/true'] },
          interval: seconds(2),
          timeout: seconds(2),
          weight: 0,
          isReversed: false,
          rise: 1,
          fall: 1,
          initFail: false,
        },
      ],
    },
  );
  const harness = await masterOf(group);
  const text = dataText(group, harness.router.snapshot());
  await harness.router.stop();
  // What numbers and names of a machine stand for; the password is masked here alone.
  const shape = (line: string): string =>
    line
      .replace(
        /\((Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{6} \d{4}\)/,
        '(T)',
      )
      .replace(/(\d+)( min_ttl.*)?/g, 'N')
      .replace(/(dev|Interface =) \w+/, '$1 IF')
      .replace(/Password = .*/, 'Password = P');
  const ours = text.split('\n').slice(2, -1);
  expect(ours.length).toBeGreaterThan(70);
  let at = 0;
  const theirs = vectors.data.map(shape);
  const strangers = ours.filter((line) => {
    const found = theirs.indexOf(shape(line), at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
  expect(strangers).toEqual([]);
});

test('the data dump names what keeps an instance in FAULT', async () => {
  const harness = await masterOf(settings);
  const snapshot = harness.router.snapshot();
  await harness.router.stop();
  const [instance] = snapshot.instances;
  if (instance === undefined) throw new Error('one instance');
  const faulty = { ...instance, state: 'FAULT' as const, faults: ['interface eth0 is down'] };
  expect(dataText(settings, { ...snapshot, instances: [faulty] })).toContain(
    '   Number of interface and track script faults = 1\n     interface eth0 is down\n',
  );
});
