/**
 * What is made of the forms in which keepalived 2.2.7 takes values (watched with `keepalived
 * --dump-conf`).
 */
import { formatIp } from '../../src/base/ipAddress.js';
import type { LoadResult } from '../../src/config/loadNode.js';
import { formatProblems } from '../../src/config/problem.js';
import { instanceText, load, loadFiles, machineWith, placesOf } from './loading.js';

const instanceOf = (text: string, root = '') => {
  const result = load(`${root}${instanceText(text)}`, {
    machine: machineWith({ userExists: (name) => name === 'root' }),
  });
  const [instance] = result.settings?.vrrp.instances ?? [];
  return { instance, result };
};
const codes = ({ problems }: LoadResult): readonly string[] => problems.map(({ code }) => code);

describe('scripts', () => {
  test('a word behind an unquoted script is its user where there is such a user', () => {
    expect(instanceOf('notify_master /x root root').instance?.notify.master).toEqual({
      words: ['/x'],
      user: 'root',
      group: 'root',
    });
  });

  test('is refused where there is none, with both ways out', () => {
    const { result } = instanceOf('notify_master /x primary');
    expect(codes(result)).toContain('unquoted-arguments');
    expect(result.problems[0]?.expected).toBe(
      'notify_master "/x primary" where it is an argument, or the name of a user of this machine',
    );
  });

  test('without knowledge of the machine only accounts that stand everywhere are users', () => {
    expect(codes(load(instanceText('notify_master /x root')))).not.toContain('unquoted-arguments');
    expect(codes(load(instanceText('notify_master /x ftp')))).toContain('unquoted-arguments');
  });

  test('single quotes hold a script with its arguments', () => {
    const { instance } = instanceOf("notify_master '/x a b' root");
    expect(instance?.notify.master).toEqual({ words: ['/x', 'a', 'b'], user: 'root' });
  });

  test('of two of a kind the first one runs', () => {
    const { instance, result } = instanceOf('notify_stop "/x 1"\nnotify_stop "/x 2"');
    expect(instance?.notify.stop?.words).toEqual(['/x', '1']);
    expect(codes(result)).toContain('repeated');
  });

  test('of two FIFOs the first one counts', () => {
    const root = 'global_defs {\n notify_fifo /run/a\n notify_fifo /run/b\n}\n';
    expect(instanceOf('', root).result.settings?.vrrp.notifyFifo?.path).toBe('/run/a');
  });
});

describe('definitions', () => {
  test.each(['$D=/etc/more\ninclude ${D}/a.conf', '$F=more/a.conf\ninclude $F'])(
    'stand in include lines: %s',
    (lines) => {
      const result = loadFiles({
        '/etc/node.conf': `${lines}\n${instanceText()}`,
        '/etc/more/a.conf': 'global_defs {\n router_id INCLUDED\n}\n',
      });
      expect(result.settings?.vrrp.routerId).toBe('INCLUDED');
    },
  );

  test.each(['# a comment \\\n', '  ! a comment \\\n'])('go on behind a comment: %s', (comment) => {
    const root = `$X=garp_master_delay 7 \\\n${comment}garp_master_repeat 3\n`;
    expect(instanceOf('$X', root).instance?.garp).toMatchObject({ masterRepeat: 3 });
  });

  test('${_HASH} within quotes is the sign, outside it starts a comment', () => {
    const password = (word: string): string => {
      const lines = `authentication {\n auth_type PASS\n auth_pass ${word}\n}`;
      const authentication = instanceOf(lines).instance?.authentication;
      if (authentication?.kind !== 'pass') return '';
      return Buffer.from(authentication.bytes).toString().replaceAll('\0', '');
    };
    expect(password('"a${_HASH}b"')).toBe('a#b');
    expect(password('a${_HASH}b')).toBe('a');
  });

  test('bound a sequence, and blanks in it mean nothing', () => {
    const root =
      '$A=1\n$B=3\n~SEQ ( N , $A , $B ) static_ipaddress {\n 10.9.9.${N}/32 dev lan\n}\n';
    const single = root.replace('{\n', '{ ').replace('\n}', ' }');
    const { result } = instanceOf('', single);
    const addresses = result.settings?.vrrp.staticAddresses.map(({ spec }) =>
      formatIp(spec.address),
    );
    expect(addresses).toEqual(['10.9.9.1', '10.9.9.2', '10.9.9.3']);
  });

  test('an undefined one is said', () => {
    const { result } = instanceOf('notify "/x ${UNDEFINED}"');
    expect(placesOf(result)).toContain('warning undefined-name 8:16');
  });
});

describe('routes and rules', () => {
  test('via may name the family, mtu may be locked, protocols have names', () => {
    const line = '10.7.0.0/16 via inet 10.0.0.2 dev lan mtu lock 1400 protocol static';
    const { instance } = instanceOf(`virtual_routes {\n${line}\n}`);
    expect(instance?.virtualRoutes[0]?.spec).toMatchObject({
      gateway: { family: 4 },
      mtu: 1400,
      mtuIsLocked: true,
      protocol: 4,
    });
  });

  test('a rule may end the look-up', () => {
    const { instance } = instanceOf(
      'virtual_rules {\nfrom 10.7.0.0/16 prohibit priority 5\nblackhole from 10.8.0.0/16 priority 6\n}',
    );
    expect(instance?.virtualRules.map(({ spec }) => spec.action)).toEqual([8, 6]);
  });

  test('the scope of an IPv6 address is read over', () => {
    const { instance, result } = instanceOf(
      'virtual_ipaddress_excluded {\nfe80::5/64 dev lan scope link\n}',
    );
    expect(instance?.excludedAddresses[0]?.spec.scope).toBeUndefined();
    expect(codes(result)).toContain('no-effect');
  });
});

test('a missing interface hides none of the other problems of an instance', () => {
  const text = instanceText('garp_master_repeat 0\nunicast_peer {\n fd00::1\n}').replace(
    '    interface eth0\n',
    '',
  );
  expect(codes(load(text))).toEqual(
    expect.arrayContaining(['missing-keyword', 'out-of-range', 'bad-address']),
  );
});

describe('warnings', () => {
  test('of two garp_groups for an interface the first one counts', () => {
    const group = (seconds: number): string =>
      `garp_group {\n garp_interval ${seconds}\n interface eth0\n}\n`;
    const { instance, result } = instanceOf('', group(1) + group(2));
    expect(instance?.garp.garpInterval).toBe(1_000_000);
    expect(codes(result)).toContain('garp-group-twice');
  });

  test('a weight beside priority 255, and beside nopreempt', () => {
    const track = 'track_interface {\n wan weight 10\n}';
    expect(codes(instanceOf(`priority 255\n${track}`).result)).toContain('weight-beside-owner');
    expect(codes(instanceOf(`state BACKUP\nnopreempt\n${track}`).result)).toContain(
      'weight-beside-nopreempt',
    );
  });

  test('strict mode with a first IPv6 address that is not link-local', () => {
    const text = instanceText('strict_mode').replace('192.0.2.1/24', '2001:db8::1/64');
    expect(codes(load(text))).toContain('strict-link-local');
  });

  test('a misspelt NetlinkBufferSizeMaxGrowth is named, and not what follows from it', () => {
    const text =
      'Sync {\n Mode FTFW { }\n UDP {\n IPv4_address 10.0.0.1\n IPv4_Destination_Address 10.0.0.2\n Port 3780\n Interface eth1\n }\n}\nGeneral {\n NetlinkBufferSize 2097152\n NetlinkBufferSizeMaxGrowt 8388608\n}\n';
    const found = load(text);
    expect(codes(found)).toContain('unknown-keyword');
    expect(codes(found)).not.toContain('buffer-growth');
  });

  test('what has no effect and asks for nothing is one line', () => {
    const root = 'global_defs {\n smtp_server 127.0.0.1\n notification_email {\n a@b\n }\n}\n';
    const lines = formatProblems(instanceOf('', root).result.problems);
    expect(lines.filter((line) => line.includes('no-effect'))).toEqual([
      '/etc/node.conf: warning: smtp_server (line 2), notification_email (line 3) have no effect here and ask for nothing [no-effect]',
    ]);
  });
});
