import { readFileSync } from 'node:fs';
import { seconds } from '../../src/base/time.js';
import { dataText } from '../../src/vrrp/dumps/data.js';
import { jsonText } from '../../src/vrrp/dumps/json.js';
import { statsText } from '../../src/vrrp/dumps/stats.js';
import type { VrrpSettings } from '../../src/vrrp/settings.js';
import { RouterBench, vrrpSettings } from '../support/vrrpRouterBench.js';
import { instanceSettings, ip, password, vip } from '../support/vrrpSettings.js';

const vectors = JSON.parse(readFileSync(`${__dirname}/../vectors/vrrp-dumps.json`, 'utf8')) as {
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

async function masterOf(all: VrrpSettings): Promise<RouterBench> {
  const bench = new RouterBench(all);
  await bench.router.start();
  await bench.time.advance(seconds(4));
  return bench;
}

test('counters have keepalived’s lines', async () => {
  const bench = await masterOf(settings);
  const text = statsText(bench.router.snapshot().instances);
  const shape = (stats: string): string => stats.replace(/\d+/g, 'N');
  expect(shape(text)).toBe(shape(vectors.stats));
  expect(text).toContain('  Became master: 1\n');
  await bench.router.stop();
});

test('JSON has keepalived’s fields in its order, escaped slashes, and no password', async () => {
  const bench = await masterOf(settings);
  const text = jsonText(settings, bench.router.snapshot()) ?? '';
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
  await bench.router.stop();
  expect(jsonText(vrrpSettings([]), { units: [], instances: [], statics: [], scripts: [] })).toBe(
    undefined,
  );
});

test('the data dump has the lines that scripts read, and no password', async () => {
  const bench = await masterOf(settings);
  const text = dataText(settings, bench.router.snapshot());
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
  await bench.router.stop();
});
