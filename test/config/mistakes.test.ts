/**
 * Planted mistakes. The sign ‸ in the text marks the place where the problem must be reported; it
 * is taken out before loading. Each file has exactly one error.
 */
import { formatProblem } from '../../src/config/problem.js';
import { instanceText, load } from './loading.js';

interface Mistake {
  readonly text: string;
  readonly code: string;
  readonly nearest?: string;
  readonly expected?: string;
}

const sync = (link: string, mode = 'Mode FTFW { }', general = ''): string =>
  `Sync {\n    ${mode}\n    ${link}\n}\nGeneral {\n    HashLimit 1000\n    ${general}\n}\n`;
const udp =
  'UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 }';
const general = (lines: string): string => sync(udp, 'Mode FTFW { }', lines);
const second = (vrid: string): string =>
  `vrrp_instance B {\n  interface eth0\n  virtual_router_id ${vrid}\n  priority 9\n  virtual_ipaddress {\n    192.0.2.9/24\n  }\n}`;
const vips = (line: string): string => instanceText(`virtual_ipaddress {\n    ${line}\n}`);
const script = (lines: string): string =>
  instanceText(`track_script {\n    chk\n}`, `vrrp_script chk {\n    ${lines}\n}`);

const mistakes: Readonly<Record<string, Mistake>> = {
  'misspelt root block': {
    text: '‸vrrp_instanse A {\n}\n',
    code: 'unknown-keyword',
    nearest: 'vrrp_instance',
  },
  'root block in the wrong case': {
    text: `${instanceText()}‸sync {\n}\n`,
    code: 'unknown-keyword',
    nearest: 'Sync',
  },
  'unknown root word': {
    text: `${instanceText()}‸hello world\n`,
    code: 'unknown-keyword',
    expected: 'one of global_defs',
  },
  'misspelt priority': {
    text: instanceText('‸priorty 10'),
    code: 'unknown-keyword',
    nearest: 'priority',
  },
  'misspelt virtual_router_id': {
    text: instanceText('‸virtual_routerid 3'),
    code: 'unknown-keyword',
    nearest: 'virtual_router_id',
  },
  'misspelt nopreempt': {
    text: instanceText('‸no_preempt'),
    code: 'unknown-keyword',
    nearest: 'nopreempt',
  },
  'swapped letters': {
    text: instanceText('‸adevrt_int 1'),
    code: 'unknown-keyword',
    nearest: 'advert_int',
  },
  'misspelt global keyword': {
    text: instanceText('', 'global_defs {\n  ‸router_ids x\n}'),
    code: 'unknown-keyword',
    nearest: 'router_id',
  },
  'misspelt notify': {
    text: instanceText('‸notify_masters "/x"'),
    code: 'unknown-keyword',
    nearest: 'notify_master',
  },
  'conntrackd keyword in the wrong case': {
    text: general('‸Hashlimit 5'),
    code: 'unknown-keyword',
    nearest: 'HashLimit',
  },
  'Lockfile for LockFile': {
    text: general('‸Lockfile /x'),
    code: 'unknown-keyword',
    nearest: 'LockFile',
  },
  'misspelt mode keyword': {
    text: sync(udp, 'Mode FTFW { ‸CommitTimeot 5 }'),
    code: 'unknown-keyword',
    nearest: 'CommitTimeout',
  },
  'misspelt link keyword': {
    text: sync(`${udp.slice(0, -1)} ‸Cheksum on }`),
    code: 'unknown-keyword',
    nearest: 'Checksum',
  },
  'keyword of one block in another': {
    text: general('‸PurgeTimeout 3'),
    code: 'unknown-keyword',
    expected: "it in 'Sync' or in 'Mode'",
  },
  'keepstate keyword in a conntrackd block': {
    text: general('‸commit_deadline 5'),
    code: 'unknown-keyword',
    expected: "it in 'global_defs'",
  },
  'priority too high': {
    text: instanceText('').replace('priority 100', 'priority ‸256'),
    code: 'bad-value',
    expected: '1..255',
  },
  'priority zero': {
    text: instanceText('').replace('priority 100', 'priority ‸0'),
    code: 'bad-value',
    expected: '1..255',
  },
  'priority no number': {
    text: instanceText('').replace('priority 100', 'priority ‸high'),
    code: 'bad-value',
    expected: 'whole number',
  },
  'VRID too high': {
    text: instanceText('').replace('router_id 7', 'router_id ‸300'),
    code: 'bad-value',
    expected: '1..255',
  },
  'advert_int zero': {
    text: instanceText('advert_int ‸0'),
    code: 'bad-value',
    expected: '0.01..255',
  },
  'advert_int negative': { text: instanceText('advert_int ‸-1'), code: 'bad-value' },
  'advert_int too long for version 3': {
    text: instanceText('version 3\n‸advert_int 60'),
    code: 'out-of-range',
    expected: '40.95',
  },
  'version 4': { text: instanceText('version ‸4'), code: 'bad-value', expected: '2, 3' },
  'down_timer_adverts out of range': {
    text: instanceText('down_timer_adverts ‸101'),
    code: 'bad-value',
  },
  'preempt_delay out of range': {
    text: instanceText('preempt_delay ‸1001'),
    code: 'bad-value',
    expected: '0..1000',
  },
  'missing value': {
    text: instanceText('‸preempt_delay'),
    code: 'missing-value',
    expected: 'number 0..1000 behind it',
  },
  'block behind a simple keyword': {
    text: instanceText('advert_int 1 ‸{\n}'),
    code: 'unexpected-block',
  },
  'keyword without its block': {
    text: instanceText('‸track_script'),
    code: 'missing-block',
    expected: '{',
  },
  'switch with a strange word': {
    text: instanceText('strict_mode ‸maybe'),
    code: 'bad-value',
    expected: 'on, off',
  },
  'two names for an instance': {
    text: instanceText().replace('vrrp_instance A', 'vrrp_instance A ‸B'),
    code: 'too-many-words',
  },
  'word before the block of a list': {
    text: instanceText('track_interface ‸eth1 {\n}'),
    code: 'too-many-words',
    expected: '{',
  },
  'word behind a keyword of keepstate': {
    text: 'global_defs {\n  commit_before_vip off ‸now\n}\n',
    code: 'too-many-words',
  },
  'group of VRRP that is none': {
    text: 'global_defs {\n  ‸vrrp_mcast_group4 192.0.2.5\n}\n',
    code: 'bad-address',
    expected: '224',
  },
  'rule without an action': {
    text: instanceText('virtual_rules {\n    ‸from 10.0.0.0/8 priority 5\n}'),
    code: 'missing-value',
    expected: 'table T',
  },
  'source of packets in a route': {
    text: instanceText('virtual_routes {\n    fd00::/8 ‸from fd01::/16 via fe80::1 dev eth0\n}'),
    code: 'not-supported',
  },
  'empty group': {
    text: instanceText('', '‸vrrp_sync_group G {\n  group {\n  }\n}'),
    code: 'missing-keyword',
    expected: 'group {',
  },
  'instance without a name': {
    text: '‸vrrp_instance {\n}\n',
    code: 'missing-value',
    expected: 'NAME { ... } behind it',
  },
  'no interface': {
    text: instanceText().replace('    interface eth0\n', '').replace('vrrp_inst', '‸vrrp_inst'),
    code: 'missing-keyword',
    expected: 'interface',
  },
  'no virtual_router_id': {
    text: instanceText()
      .replace('    virtual_router_id 7\n', '')
      .replace('vrrp_inst', '‸vrrp_inst'),
    code: 'missing-keyword',
    expected: 'virtual_router_id',
  },
  'interface name too long': {
    text: instanceText('interface ‸abcdefghijklmnopq'),
    code: 'bad-value',
    expected: '15 characters',
  },
  'address out of range': {
    text: vips('‸192.0.2.300'),
    code: 'bad-address',
    expected: 'ADDRESS/length',
  },
  'prefix too long': { text: vips('‸192.0.2.1/33'), code: 'bad-address', expected: '32' },
  'IPv6 prefix too long': {
    text: instanceText().replace('192.0.2.1/24', '‸2001:db8::1/129'),
    code: 'bad-address',
    expected: '128',
  },
  'VIP of the other family': {
    text: vips('‸2001:db8::1/64'),
    code: 'bad-address',
    expected: 'virtual_ipaddress_excluded',
  },
  'misspelt address option': {
    text: vips('192.0.2.2 ‸lable x'),
    code: 'unknown-keyword',
    nearest: 'label',
  },
  'address option without value': {
    text: vips('192.0.2.2 ‸dev'),
    code: 'missing-value',
    expected: 'interface',
  },
  'broadcast that is none': {
    text: vips('192.0.2.2/24 brd ‸x'),
    code: 'bad-value',
    expected: '+ or -',
  },
  'unknown scope': { text: vips('192.0.2.2 scope ‸wide'), code: 'bad-value', expected: 'global' },
  'use_vmac on an address': { text: vips('192.0.2.2 ‸use_vmac'), code: 'not-supported' },
  'unicast peer that is no address': {
    text: instanceText('unicast_peer {\n    ‸fw2\n}'),
    code: 'bad-address',
  },
  'unicast peer of the other family': {
    text: instanceText('unicast_peer {\n    ‸2001:db8::2\n}'),
    code: 'bad-address',
    expected: 'IPv4',
  },
  'unicast source of the other family': {
    text: instanceText('unicast_peer {\n    192.0.2.8\n}\n‸unicast_src_ip 2001:db8::1'),
    code: 'bad-address',
  },
  'misspelt peer option': {
    text: instanceText('unicast_peer {\n    192.0.2.8 ‸min_tll 5\n}'),
    code: 'unknown-keyword',
    nearest: 'min_ttl',
  },
  'group address that is none': {
    text: instanceText('‸mcast_dst_ip 192.0.2.5'),
    code: 'bad-address',
    expected: '224',
  },
  'duplicate VRID': {
    text: instanceText('', second('7').replace('virtual_router_id', '‸virtual_router_id')),
    code: 'duplicate-vrid',
  },
  'duplicate instance name': {
    text: instanceText('', second('8').replace('vrrp_instance B', '‸vrrp_instance A')),
    code: 'duplicate-name',
  },
  'group with a missing instance': {
    text: instanceText('', 'vrrp_sync_group G {\n  group {\n    A\n    ‸AB\n  }\n}'),
    code: 'missing-reference',
    nearest: 'A',
  },
  'instance in two groups': {
    text: instanceText(
      '',
      `${second('8')}\nvrrp_sync_group G {\n  group {\n    A\n    B\n  }\n}\nvrrp_sync_group H {\n  group {\n    ‸B\n  }\n}`,
    ),
    code: 'duplicate-member',
  },
  'group without members': {
    text: instanceText('', '‸vrrp_sync_group G {\n}'),
    code: 'missing-keyword',
    expected: 'group {',
  },
  'unknown script': {
    text: instanceText('track_script {\n    ‸chk\n}'),
    code: 'missing-reference',
    expected: 'vrrp_script',
  },
  'misspelt script': {
    text: instanceText('track_script {\n    ‸alife\n}', 'vrrp_script alive {\n  script "/x"\n}'),
    code: 'missing-reference',
    nearest: 'alive',
  },
  'script without a script': {
    text: instanceText('track_script {\n    chk\n}', '‸vrrp_script chk {\n}'),
    code: 'missing-keyword',
    expected: 'script',
  },
  'weight out of range': {
    text: script('script "/x"\n    weight ‸300'),
    code: 'bad-value',
    expected: '-253..253',
  },
  'misspelt weight': {
    text: instanceText('track_interface {\n    eth1 ‸wieght 5\n}'),
    code: 'unknown-keyword',
    nearest: 'weight',
  },
  'interval zero': { text: script('script "/x"\n    interval ‸0'), code: 'bad-value' },
  'auth_type in lower case': {
    text: instanceText('authentication {\n    auth_type ‸pass\n    auth_pass x\n}'),
    code: 'bad-value',
    nearest: 'PASS',
  },
  AH: {
    text: instanceText('authentication {\n    ‸auth_type AH\n    auth_pass x\n}'),
    code: 'not-supported',
    expected: 'auth_type PASS',
  },
  'PASS without password': {
    text: instanceText('authentication {\n    ‸auth_type PASS\n}'),
    code: 'missing-keyword',
    expected: 'auth_pass',
  },
  use_vmac: { text: instanceText('‸use_vmac'), code: 'not-supported' },
  virtual_server: {
    text: instanceText('', '‸virtual_server 10.0.0.1 80 {\n  real_server 10.0.0.2 80 {\n  }\n}'),
    code: 'not-supported',
    expected: 'keepalived',
  },
  'route without destination': {
    text: instanceText('virtual_routes {\n    ‸via 192.0.2.9\n}'),
    code: 'missing-value',
    expected: 'default',
  },
  'misspelt route word': {
    text: instanceText('virtual_routes {\n    default via 192.0.2.9 ‸metrc 5\n}'),
    code: 'bad-value',
    nearest: 'metric',
  },
  'multipath route': {
    text: instanceText('virtual_routes {\n    default via 192.0.2.9 ‸or 192.0.2.8\n}'),
    code: 'not-supported',
  },
  'rule with a bad address': {
    text: instanceText('virtual_rules {\n    to ‸192.168.100./24 table 1\n}'),
    code: 'bad-value',
  },
  'missing closing brace': {
    text: `vrrp_instance A {\n  interface eth0\n  virtual_router_id 7\n  priority 5\n  virtual_ipaddress {\n    192.0.2.1\n  }\n‸${second('8')}`,
    code: 'missing-brace',
    expected: '} before it',
  },
  'file ends inside a block': {
    text: `${instanceText()}global_defs ‸{\n  router_id x\n`,
    code: 'missing-brace',
  },
  'closing brace too many': { text: `${instanceText()}‸}\n`, code: 'stray-brace' },
  'brace without keyword': {
    text: `${instanceText()}net_namespace x\nglobal_defs {\n} ‸{ }\n`,
    code: 'stray-brace',
  },
  'quote not closed': { text: instanceText('notify_master ‸"/x y'), code: 'unterminated-quote' },
  'include of nothing': {
    text: `${instanceText()}include ‸/etc/other.conf\n`,
    code: 'include-unreadable',
  },
  'bad repetition': {
    text: `${instanceText()}‸~SEQ(x,1,0,5) net_namespace n$x\n`,
    code: 'bad-repetition',
  },
  'random definition': { text: instanceText('advert_int ‸${_RANDOM 1 5}'), code: 'not-supported' },
  'unknown mode': { text: sync(udp, '‸Mode FTWF { }'), code: 'bad-value', nearest: 'FTFW' },
  'RefreshTime in FTFW': {
    text: sync(udp, 'Mode FTFW { ‸RefreshTime 5 }'),
    code: 'wrong-mode',
    expected: 'ResendQueueSize',
  },
  'DisableInternalCache in FTFW': {
    text: sync(udp, 'Mode FTFW { ‸DisableInternalCache on }'),
    code: 'wrong-mode',
  },
  'DisableExternalCache in ALARM': {
    text: sync(udp, 'Mode ALARM { ‸DisableExternalCache on }'),
    code: 'wrong-mode',
  },
  'Sync without link': {
    text: '‸Sync {\n  Mode FTFW {\n  }\n}\n',
    code: 'missing-keyword',
    expected: 'UDP',
  },
  'link without port': {
    text: sync('‸UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Interface eth1 }'),
    code: 'missing-keyword',
    expected: '3780',
  },
  'link without interface': {
    text: sync('‸UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 }'),
    code: 'missing-keyword',
  },
  'link without peer': {
    text: sync('‸UDP { IPv4_address 10.0.0.1 Port 3780 Interface eth1 }'),
    code: 'missing-keyword',
    expected: 'IPv4_Destination_Address',
  },
  'link with mixed families': {
    text: sync(
      'UDP { IPv4_address 10.0.0.1 ‸IPv6_Destination_Address fd00::1 Port 3780 Interface eth1 }',
    ),
    code: 'bad-address',
  },
  'links of two kinds': {
    text: sync(`${udp}\n    ‸Multicast { IPv4_address 225.0.0.50 Group 3780 Interface eth1 }`),
    code: 'mixed-links',
  },
  'five links': { text: sync(`${`${udp}\n`.repeat(4)}‸${udp}`), code: 'out-of-range' },
  'multicast to a plain address': {
    text: sync('Multicast { ‸IPv4_address 10.0.0.5 Group 3780 Interface eth1 }'),
    code: 'bad-address',
    expected: '224',
  },
  'IPv6 text in IPv4_address': {
    text: sync(
      'UDP { IPv4_address ‸fd00::1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 }',
    ).replace('UDP', 'UDP'),
    code: 'bad-value',
  },
  'On/Off misspelt': {
    text: general('NetlinkEventsReliable ‸onn'),
    code: 'bad-value',
    expected: 'on or off',
  },
  'unknown protocol': {
    text: general('Filter { Protocol Accept { TCP ‸UPD } }'),
    code: 'bad-value',
    nearest: 'UDP',
  },
  'unknown policy': {
    text: general('Filter { Protocol ‸Acept { TCP } }'),
    code: 'bad-value',
    nearest: 'Accept',
  },
  'unknown TCP state': {
    text: general('Filter { State Accept { ‸ESTABLISHD for TCP } }'),
    code: 'bad-value',
    nearest: 'ESTABLISHED',
  },
  'filter from nowhere': {
    text: general('‸Filter From Kernelspce { }'),
    code: 'bad-value',
    nearest: 'Kernelspace',
  },
  'bad network in a filter': {
    text: general('Filter { Address Ignore { IPv4_address ‸10.0.0.0/40 } }'),
    code: 'bad-value',
  },
  'syslog facility unknown': {
    text: general('Syslog ‸local9'),
    code: 'bad-value',
    expected: 'local0',
  },
  'relative lock file': {
    text: general('LockFile ‸conntrack.lock'),
    code: 'bad-value',
    expected: 'absolute path',
  },
  'socket path too long': {
    text: general(`UNIX { ‸Path /${'x'.repeat(107)} }`),
    code: 'out-of-range',
    expected: '107',
  },
  'control socket path too long': {
    text: `global_defs {\n  ‸control_socket /${'ö'.repeat(54)}\n}\n`,
    code: 'out-of-range',
    expected: '107 bytes',
  },
  'a word of Stats that is none': {
    text: 'Stats {\n  ‸LogFil on\n}\n',
    code: 'unknown-keyword',
    nearest: 'LogFile',
  },
  'a helper without its protocol': {
    text: `${sync(udp)}Helper {\n  ‸Type ftp {\n  }\n}\n`,
    code: 'missing-value',
  },
  'two bindings': {
    text: instanceText(
      'conntrack_sync',
      `${second('8').replace('priority 9', '‸conntrack_sync\n  priority 9')}\n${sync(udp)}`,
    ),
    code: 'several-bindings',
  },
  'peer_port on the sync port': {
    text: instanceText('', `global_defs {\n  ‸peer_port 3780\n}\n${sync(udp)}`),
    code: 'bad-value',
  },
  'limit below deadline': {
    text: instanceText('', 'global_defs {\n  commit_deadline 500\n  ‸commit_limit 400\n}'),
    code: 'out-of-range',
  },
  'empty file': { text: '‸# nothing here\n', code: 'empty' },
};

/** The text without its mark, and `line:column` of the mark. */
function unmark(marked: string): { text: string; place: string } {
  const index = marked.indexOf('‸');
  const lines = marked.slice(0, index).split('\n');
  const place = `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  return { text: marked.replaceAll('‸', ''), place };
}

describe('planted mistakes', () => {
  test('there are at least 60 of them', () => {
    expect(Object.keys(mistakes).length).toBeGreaterThanOrEqual(60);
  });

  test.each(Object.entries(mistakes))('%s', (_title, mistake) => {
    const { text, place } = unmark(mistake.text);
    const result = load(text);
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ at, code }) => `${at.file}:${at.line}:${at.column} ${code}`)).toEqual([
      `/etc/node.conf:${place} ${mistake.code}`,
    ]);
    const [error] = errors;
    expect(result.settings).toBeUndefined();
    if (mistake.nearest !== undefined) expect(error?.nearest).toBe(mistake.nearest);
    if (mistake.expected !== undefined) expect(error?.expected).toContain(mistake.expected);
    expect(formatProblem(error!)).toContain(`/etc/node.conf:${place}: error: `);
  });

  test('what is wrong is not reported as missing too', () => {
    const wrong = load(instanceText().replace('priority 100', 'priority 256'));
    expect(wrong.problems.map(({ code }) => code)).toEqual(['bad-value']);
    const group = 'vrrp_sync_group G {\n  group {\n    A\n    AB\n  }\n}';
    expect(load(instanceText('', group)).problems.map(({ code }) => code)).toEqual([
      'missing-reference',
    ]);
  });

  test('what is refused is said with what to do instead', () => {
    const [problem] = load(instanceText('use_vmac')).problems;
    expect(formatProblem(problem!)).toContain("'use_vmac' is not supported; instead: VIPs on");
  });

  test('all problems of a file are reported at once', () => {
    const text = instanceText('priorty 1\nadvert_int 0\nuse_vmac', 'Sink {\n}');
    const { problems } = load(text);
    expect(problems.filter(({ severity }) => severity === 'error')).toHaveLength(4);
  });
});
