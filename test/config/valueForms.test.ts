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

  test('stays its user where there is none, and is named: nothing will run, as in keepalived', () => {
    const { instance, result } = instanceOf('notify_master /x primary');
    expect(instance?.notify.master).toEqual({ words: ['/x'], user: 'primary' });
    expect(codes(result)).toEqual(expect.arrayContaining(['unquoted-arguments', 'missing-user']));
    const said = result.problems.find(({ code }) => code === 'unquoted-arguments');
    expect(said?.expected).toBe(
      'notify_master "/x primary" where the words are arguments, or nothing behind script, user and group',
    );
  });

  test.each(['script /x a b', 'script "/x" a'])('of a check have no user: %s', (line) => {
    const result = load(`vrrp_script s {\n ${line}\n}\n`);
    expect(result.settings?.vrrp.scripts[0]?.command).toEqual({ words: ['/x'] });
    expect(codes(result)).toContain('unquoted-arguments');
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

describe('lines and braces', () => {
  const addressesOf = (root: string): readonly string[] =>
    (instanceOf('', root).result.settings?.vrrp.staticAddresses ?? []).map(({ spec }) =>
      formatIp(spec.address),
    );

  test('behind a brace a sequence or a condition begins a line', () => {
    expect(addressesOf('static_ipaddress { ~SEQ(N,1,2) 10.9.9.${N}/32 dev lan\n}\n')).toEqual([
      '10.9.9.1',
      '10.9.9.2',
    ]);
    const root = 'static_ipaddress { @nowhere no address\n 10.9.9.1/32 dev lan }\n';
    expect(addressesOf(root)).toEqual(['10.9.9.1']);
  });

  test('two braces at the end of a word close two blocks', () => {
    const root = 'garp_group { garp_interval 1\n interfaces { eth0 eth1}}\n';
    expect(instanceOf('', root).instance?.garp.garpInterval).toBe(1_000_000);
  });

  test('an escaped sign ends the value of a definition', () => {
    const root = '$OFF=\\# no comment\nstatic_ipaddress {\n $OFF 10.9.9.1/32 dev lan\n}\n';
    expect(addressesOf(root)).toEqual(['10.9.9.1']);
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
    const root = 'global_defs {\n snmp_socket unix:/x\n vmac_prefix a\n}\n';
    const lines = formatProblems(instanceOf('', root).result.problems);
    expect(lines.filter((line) => line.includes('no-effect'))).toEqual([
      '/etc/node.conf: warning: snmp_socket (line 2), vmac_prefix (line 3) have no effect here and ask for nothing [no-effect]',
    ]);
  });
});

describe('words that keepalived reads over', () => {
  const lines = 'interface eth0 (lan)\nnopreempt 1\nstate BACKUP or MASTER\nadvert_int 2 s';

  test('are read over, each with a warning that shows the line without them', () => {
    const { instance, result } = instanceOf(lines);
    expect(instance).toMatchObject({
      interfaceName: 'eth0',
      preempt: false,
      initialState: 'BACKUP',
    });
    const said = result.problems.filter(({ code }) => code === 'words-read-over');
    expect(said.map(({ fix }) => fix?.kind === 'line' && fix.line)).toEqual([
      'interface eth0',
      'nopreempt',
      'state BACKUP',
      'advert_int 2',
    ]);
  });

  test('a denial behind a keyword that stands alone changes nothing, and is named', () => {
    const root = 'global_defs {\n vrrp_skip_check_adv_addr off\n}\n';
    const { instance, result } = instanceOf('dont_track_primary off', root);
    expect(instance).toMatchObject({ skipCheckAdvertAddresses: true, trackPrimary: false });
    expect(result.problems.map(({ message }) => message)).toContain(
      "'dont_track_primary' counts although 'off' stands behind it, as in keepalived",
    );
  });

  test('the delays of an interface may be absent, or too many', () => {
    const root = 'interface_up_down_delays {\n eth0\n eth1 1 2 3\n}\n';
    const { result } = instanceOf('', root);
    expect(result.settings?.vrrp.interfaceDelays).toMatchObject([
      { interfaceName: 'eth0', down: 0, up: 0 },
      { interfaceName: 'eth1', down: 1_000_000, up: 2_000_000 },
    ]);
    expect(codes(result)).toContain('words-read-over');
  });

  test('the length of an address beside a peer', () => {
    const { instance, result } = instanceOf(
      'virtual_ipaddress_excluded {\n 10.0.0.1/24 peer 10.0.0.2\n}',
    );
    expect(instance?.excludedAddresses[0]?.spec.prefixLength).toBe(32);
    expect(codes(result)).toContain('words-read-over');
  });
});

describe('what stands twice', () => {
  test.each([
    ['vrrp_script', 'script', 'scripts'],
    ['track_file', 'file', 'files'],
    ['vrrp_track_process', 'process', 'processes'],
  ] as const)('of two %s of one name the first counts', (block, keyword, kind) => {
    const one = (value: string): string => `${block} t {\n ${keyword} ${value}\n}\n`;
    const result = load(one('/a') + one('/b'));
    expect(result.settings?.vrrp[kind]).toHaveLength(1);
    expect(JSON.stringify(result.settings?.vrrp[kind])).toContain('/a');
    expect(codes(result)).toContain('repeated');
  });

  test('a tracked thing counts once, with the first weight', () => {
    const { instance, result } = instanceOf('track_interface {\n eth1 weight 5\n eth1 weight 7\n}');
    expect(instance?.tracking.interfaces).toEqual([{ name: 'eth1', weight: 5, isReversed: false }]);
    expect(codes(result)).toContain('repeated');
  });
});

test('an address that no host can have is left to the kernel to refuse, unless it is joined', () => {
  const { instance, result } = instanceOf(
    'virtual_ipaddress_excluded {\n 224.0.0.5/32\n 224.0.0.6/32 autojoin\n 0.0.0.0\n}',
  );
  expect(instance?.excludedAddresses).toHaveLength(3);
  expect(codes(result).filter((code) => code === 'unusual-address')).toHaveLength(2);
});

test('a FIFO may be given to a user, and a relative path is named', () => {
  const root = 'global_defs {\n notify_fifo run/a root adm\n}\n';
  const { result } = instanceOf('', root);
  expect(result.settings?.vrrp.notifyFifo).toEqual({
    path: 'run/a',
    owner: { user: 'root', group: 'adm' },
  });
  expect(codes(result)).toContain('relative-path');
});

test('an empty unicast_peer is multicast, and says so', () => {
  expect(codes(instanceOf('unicast_peer {\n}').result)).toContain('unicast-without-peer');
});
