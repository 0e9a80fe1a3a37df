import { formatIp } from '../../../src/base/ipAddress.js';
import { migrate } from '../../../src/config/migrate/migratePair.js';
import { readPing } from '../../../src/config/migrate/pingScripts.js';
import { instanceText, load, portsWith } from '../loading.js';

describe('a command line that only pings', () => {
  test.each([
    ['ping -c 1 198.51.100.1', {}],
    ['/bin/ping -q -c1 -W 1 198.51.100.1', { timeoutSeconds: 1 }],
    ['/usr/bin/ping 198.51.100.1 -w 2 -c 3 -I eth1', { timeoutSeconds: 2, interfaceName: 'eth1' }],
    ['ping -qnc 1 -I 192.0.2.7 198.51.100.1', { source: '192.0.2.7' }],
    ['ping -W 2 -w 5 -c 2 198.51.100.1', { timeoutSeconds: 2 }],
  ])('%s', (line, expected) => {
    const ping = readPing(line.split(' '));
    if (ping === undefined) throw new Error('not recognised');
    const { address, source, ...rest } = ping;
    expect(formatIp(address)).toBe('198.51.100.1');
    expect({ ...rest, ...(source === undefined ? {} : { source: formatIp(source) }) }).toEqual(
      expected,
    );
  });

  test.each([
    'ping -c 1 example.org',
    'ping -c 1 198.51.100.1 198.51.100.2',
    'ping -f 198.51.100.1',
    'ping -c',
    'sh -c "ping -c 1 198.51.100.1"',
    '/usr/local/bin/check_ping 198.51.100.1',
    'fping 198.51.100.1',
    'ping',
  ])('%s is none', (line) => {
    expect(readPing(line.split(' '))).toBeUndefined();
  });
});

describe('migrate', () => {
  const script =
    'vrrp_script chk {\n    script "/bin/ping -c 1 -W 1 -I eth1 198.51.100.1"\n    interval 2\n    fall 3\n    rise 2\n    weight -20\n}';
  const text = instanceText('track_script {\n  chk\n}', script);
  const migrated = migrate([{ path: '/etc/keepalived.conf', text }], portsWith()).text;

  test('proposes the target in a comment, and changes nothing', () => {
    expect(migrated).toContain("# keepstate: 'chk' only pings.");
    const isComment = (line: string): boolean => /^\s*#/.test(line) || line.trim() === '';
    const kept = migrated.split('\n').filter((line) => !isComment(line));
    expect(kept.join('\n')).toContain('script "/bin/ping -c 1 -W 1 -I eth1 198.51.100.1"');
  });

  test('what it proposes is a configuration', () => {
    const lines = migrated.split('\n');
    const from = lines.findIndex((line) => line.includes('vrrp_track_target'));
    const to = lines.findIndex((line, i) => i > from && /^#\s+\}$/.test(line));
    const block = lines.slice(from, to + 1).map((line) => line.replace(/^# /, ''));
    const loaded = load(instanceText('track_target {\n  chk\n}', block.join('\n')));
    expect(loaded.problems).toEqual([]);
    expect(loaded.settings?.vrrp.targets?.[0]).toMatchObject({
      ...{ name: 'chk', interfaceName: 'eth1', interval: 2_000_000, timeout: 1_000_000 },
      ...{ fall: 3, rise: 2, weight: -20 },
    });
  });
});
