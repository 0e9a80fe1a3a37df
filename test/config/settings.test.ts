/** Keyword by keyword: what becomes of each in the settings, and that the normal form keeps it. */
import { formatIp, parseIp, type IpAddress } from '../../src/base/ipAddress.js';
import { milliseconds, seconds } from '../../src/base/time.js';
import { printNode } from '../../src/config/printNode.js';
import type { NodeSettings } from '../../src/config/nodeSettings.js';
import { instanceText, load } from './loading.js';

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};

/** Loads, prints, loads again: both must be equal. */
function settingsOf(text: string): NodeSettings {
  const { settings, values, problems } = load(text);
  if (settings === undefined || values === undefined) throw new Error(JSON.stringify(problems));
  const again = load(printNode(values)).settings;
  expect(again).toEqual({ ...settings, binding: again?.binding });
  return settings;
}

const instanceOf = (lines: string, root = '') =>
  settingsOf(instanceText(lines, root)).vrrp.instances[0]!;

describe('priorities of the threads', () => {
  const scheduling = (globals: string, general = ''): NodeSettings['scheduling'] =>
    settingsOf(instanceText('', `global_defs {\n${globals}\n}\nGeneral {\n${general}\n}`))
      .scheduling;

  test('nothing is set where the file says nothing', () => {
    expect(scheduling('')).toBeUndefined();
  });

  test("keepalived's keywords are for VRRP alone", () => {
    expect(scheduling('vrrp_priority -5\nvrrp_rt_priority 20')).toEqual({
      vrrp: { nice: -5, realtime: { policy: 'rr', priority: 20 } },
      sync: {},
    });
  });

  test.each([
    ['Nice +5', { vrrp: { nice: 0 }, sync: { nice: 5 } }],
    ['Nice -20', { vrrp: { nice: -20 }, sync: { nice: -20 } }],
    [
      'Scheduler {\nType FIFO\nPriority 99\n}',
      {
        vrrp: { realtime: { policy: 'rr', priority: 99 } },
        sync: { realtime: { policy: 'fifo', priority: 98 } },
      },
    ],
    ['Scheduler {\nType RR\n}', undefined],
  ])('%j is for the sync worker, which never comes before VRRP', (general, expected) => {
    expect(scheduling('', general)).toEqual(expected);
  });
});

describe('trackers', () => {
  const { vrrp } = settingsOf(
    instanceText(
      'track_script {\n  chk\n  other weight 9 noreverse\n}\ntrack_file {\n  f weight 2\n}\ntrack_process {\n  p\n}\ntrack_interface {\n  eth5 weight -7\n}',
      [
        'vrrp_script chk {\n script "/bin/a b"\n interval 2.5\n timeout 4\n weight -10 reverse\n rise 2\n fall 3\n user nobody nogroup\n init_fail\n}',
        'vrrp_script other {\n script /bin/c\n}',
        'vrrp_track_file f {\n file /run/prio\n weight -3\n init_file 5 overwrite\n}',
        'track_file g {\n file "/run/other file"\n init_file\n}',
        'vrrp_track_process p {\n process nginx -g x\n param_match partial\n full_command\n weight 4 reverse\n quorum 2\n quorum_max 5\n delay 1.5\n terminate_delay 3\n}',
      ].join('\n'),
    ),
  );

  test('vrrp_script', () => {
    expect(vrrp.scripts).toEqual([
      {
        name: 'chk',
        command: { words: ['/bin/a', 'b'], user: 'nobody', group: 'nogroup' },
        interval: milliseconds(2_500),
        timeout: seconds(4),
        weight: -10,
        isReversed: true,
        rise: 2,
        fall: 3,
        initFail: true,
      },
      {
        name: 'other',
        command: { words: ['/bin/c'] },
        interval: seconds(1),
        timeout: seconds(1),
        weight: 0,
        isReversed: false,
        rise: 1,
        fall: 1,
        initFail: false,
      },
    ]);
  });

  test('track_file, by its old name too', () => {
    expect(vrrp.files).toEqual([
      {
        name: 'f',
        path: '/run/prio',
        weight: -3,
        isReversed: false,
        init: { value: 5, overwrite: true },
      },
      {
        name: 'g',
        path: '/run/other file',
        weight: 1,
        isReversed: false,
        init: { value: 0, overwrite: false },
      },
    ]);
  });

  test('vrrp_track_process', () => {
    expect(vrrp.processes).toEqual([
      {
        name: 'p',
        words: ['nginx', '-g', 'x'],
        parameterMatch: 'partial',
        fullCommand: true,
        weight: 4,
        isReversed: true,
        quorum: 2,
        quorumMax: 5,
        forkDelay: milliseconds(1_500),
        terminateDelay: seconds(3),
      },
    ]);
  });

  test('references take the weight of what they name unless they say another', () => {
    expect(vrrp.instances[0]?.tracking).toEqual({
      interfaces: [{ name: 'eth5', weight: -7, isReversed: false }],
      scripts: [
        { name: 'chk', weight: -10, isReversed: true },
        { name: 'other', weight: 9, isReversed: false },
      ],
      files: [{ name: 'f', weight: 2, isReversed: false }],
      processes: [{ name: 'p', weight: 4, isReversed: true }],
    });
  });

  test.each([
    ['weight 5 backwards', "'backwards' is not known here"],
    ['weight', "'weight' lacks its value"],
    ['user', "'user' lacks its value"],
  ])('vrrp_script refuses "%s"', (line, message) => {
    const { problems } = load(`vrrp_script s {\n script "/x"\n ${line}\n}`);
    expect(problems.map((problem) => problem.message)).toContain(message);
  });

  test.each(['init_file x', 'init_file 1 x'])('track_file refuses "%s"', (line) => {
    expect(load(`track_file f {\n file /x\n ${line}\n}`).settings).toBeUndefined();
  });
});

describe('addresses', () => {
  const spec = (entry: string) =>
    instanceOf(`virtual_ipaddress_excluded {\n${entry}\n}`).excludedAddresses[0];

  test.each([
    ['10.0.0.1', { interfaceName: 'eth0', address: ip('10.0.0.1'), prefixLength: 32 }],
    [
      '10.0.0.1/24 dev eth7 brd +',
      {
        interfaceName: 'eth7',
        address: ip('10.0.0.1'),
        prefixLength: 24,
        broadcast: ip('10.0.0.255'),
      },
    ],
    [
      '10.0.0.77/26 broadcast -',
      {
        interfaceName: 'eth0',
        address: ip('10.0.0.77'),
        prefixLength: 26,
        broadcast: ip('10.0.0.64'),
      },
    ],
    [
      '10.0.0.1/24 scope link label eth0:1',
      {
        interfaceName: 'eth0',
        address: ip('10.0.0.1'),
        prefixLength: 24,
        scope: 253,
        label: 'eth0:1',
      },
    ],
    [
      '10.0.0.1 peer 10.0.0.2',
      { interfaceName: 'eth0', address: ip('10.0.0.1'), prefixLength: 32, peer: ip('10.0.0.2') },
    ],
    [
      '10.0.0.1 noprefixroute home',
      { interfaceName: 'eth0', address: ip('10.0.0.1'), prefixLength: 32, flags: 0x210 },
    ],
    [
      'fd00::1',
      {
        interfaceName: 'eth0',
        address: ip('fd00::1'),
        prefixLength: 128,
        flags: 2,
        preferredLifetimeSeconds: 0,
      },
    ],
    ['fd00::1/64 -nodad', { interfaceName: 'eth0', address: ip('fd00::1'), prefixLength: 64 }],
    [
      'fd00::1 preferred_lft 60',
      {
        interfaceName: 'eth0',
        address: ip('fd00::1'),
        prefixLength: 128,
        flags: 2,
        preferredLifetimeSeconds: 60,
      },
    ],
  ])('%s', (entry, expected) => {
    expect(spec(entry)).toEqual({ spec: expected, isTracked: true });
  });

  test('no_track', () => {
    expect(spec('10.0.0.1 no_track')?.isTracked).toBe(false);
  });

  test.each([
    'fd00::1 label x',
    'fd00::1 brd +',
    '10.0.0.1/31 brd +',
    '10.0.0.1/24 brd + peer 10.0.0.2',
    '10.0.0.1 peer fd00::2',
    '10.0.0.1 preferred_lft soon',
    '10.0.0.1 dev a/b',
  ])('refuses %s', (entry) => {
    expect(
      load(instanceText(`virtual_ipaddress_excluded {\n${entry}\n}`)).settings,
    ).toBeUndefined();
  });
});

describe('routes and rules', () => {
  test.each([
    ['default via 192.0.2.9', { family: 4, prefixLength: 0, gateway: ip('192.0.2.9') }],
    [
      '::/0 gw fd00::9 dev eth1',
      { family: 6, prefixLength: 0, gateway: ip('fd00::9'), interfaceName: 'eth1' },
    ],
    [
      'src 192.0.2.1 10.1.0.0/16 via 192.0.2.9 metric 5 table 100 onlink',
      {
        family: 4,
        destination: ip('10.1.0.0'),
        prefixLength: 16,
        source: ip('192.0.2.1'),
        gateway: ip('192.0.2.9'),
        metric: 5,
        table: 100,
        onlink: true,
      },
    ],
    [
      'blackhole 10.2.0.0/16 protocol 18',
      { family: 4, destination: ip('10.2.0.0'), prefixLength: 16, type: 6, protocol: 18 },
    ],
    [
      'to 10.3.0.0/16 oif eth1 scope link mtu 1400 tos 0x10 table main',
      {
        family: 4,
        destination: ip('10.3.0.0'),
        prefixLength: 16,
        interfaceName: 'eth1',
        scope: 253,
        mtu: 1_400,
        tos: 16,
        table: 254,
      },
    ],
  ])('route %s', (line, spec) => {
    const [route] = instanceOf(`virtual_routes {\n${line}\n}`).virtualRoutes;
    expect(route).toEqual({ spec, isTracked: true, text: line });
  });

  test.each([
    [
      'from 10.0.0.0/8 table 7',
      {
        family: 4,
        from: { address: ip('10.0.0.0'), prefixLength: 8 },
        table: 7,
        priority: 16_384,
      },
    ],
    [
      'to fd00::/8 iif eth1 oif eth2 table 7 priority 9',
      {
        family: 6,
        table: 7,
        to: { address: ip('fd00::'), prefixLength: 8 },
        inputInterface: 'eth1',
        outputInterface: 'eth2',
        priority: 9,
      },
    ],
    [
      'from all fwmark 0x10/0xff lookup main order 5 protocol 3',
      { family: 4, fwmark: 16, fwmask: 255, table: 254, priority: 5, protocol: 3 },
    ],
    ['inet6 table 5 priority 9', { family: 6, table: 5, priority: 9 }],
  ])('rule %s', (line, spec) => {
    const [rule] = instanceOf(`virtual_rules {\n${line}\n}`).virtualRules;
    const written = / (priority|preference|order|pref) /.test(line)
      ? line
      : `${line} priority 16384`;
    expect(rule).toEqual({ spec, isTracked: true, text: written });
  });

  test('rules without priority count down from 16384, for each family, and say so', () => {
    const rules = [
      'from 10.1.0.0/16 table 5',
      'from fd00::/8 table 5',
      'from 10.2.0.0/16 table 5 priority 7',
      'inet table 5',
    ];
    const result = load(instanceText(`virtual_rules {\n${rules.join('\n')}\n}`));
    const built = result.settings?.vrrp.instances[0]?.virtualRules ?? [];
    expect(built.map(({ spec }) => spec.priority)).toEqual([16_384, 16_384, 7, 16_383]);
    const said = result.problems.filter(({ message }) => message.includes('has no priority: '));
    expect(said.map(({ at }) => at.line)).toEqual([9, 10, 12]);
  });

  test('rules of all blocks count together, in the order of the text', () => {
    const statics = 'static_rules {\n  from 10.1.0.0/16 table 5\n}\n';
    const instance = instanceText('virtual_rules {\n  from 10.2.0.0/16 table 5\n}');
    for (const [text, first] of [
      [statics + instance, 'static'],
      [instance + statics, 'virtual'],
    ]) {
      const vrrp = load(text ?? '').settings?.vrrp;
      const [one] = vrrp?.staticRules ?? [];
      const [other] = vrrp?.instances[0]?.virtualRules ?? [];
      const priorities = [one?.spec.priority, other?.spec.priority];
      expect(priorities).toEqual(first === 'static' ? [16_384, 16_383] : [16_383, 16_384]);
    }
  });

  test.each(['10.0.0.0/8 via fd00::1', '10.0.0.0/8 table big', 'via', 'to x'])(
    'refuses route %s',
    (line) => {
      expect(load(instanceText(`virtual_routes {\n${line}\n}`)).settings).toBeUndefined();
    },
  );

  test.each(['from 10.0.0.0/8 to fd00::/8', 'fwmark x', 'sport 5', 'table'])(
    'refuses rule %s',
    (line) => {
      expect(load(instanceText(`virtual_rules {\n${line}\n}`)).settings).toBeUndefined();
    },
  );
});

describe('instances', () => {
  test('TTL limits of unicast peers turn on the check of the source', () => {
    const instance = instanceOf(
      'unicast_peer {\n  192.0.2.8 min_ttl 1 max_ttl 5\n  192.0.2.9\n}\nunicast_ttl 9',
    );
    expect(instance.unicastPeers).toEqual([
      { address: ip('192.0.2.8'), minTtl: 1, maxTtl: 5 },
      { address: ip('192.0.2.9') },
    ]);
    expect(instance).toMatchObject({ checkUnicastSource: true, unicastTtl: 9 });
  });

  test('IPv6 is version 3 with its own group, and version 2 where asked for', () => {
    const text = instanceText().replace('192.0.2.1/24', 'fe80::1/64');
    expect(settingsOf(text).vrrp.instances[0]).toMatchObject({
      version: 3,
      family: 6,
      multicastGroup: ip('ff02::12'),
    });
    expect(
      settingsOf(text.replace('priority', 'version 2\npriority')).vrrp.instances[0]?.version,
    ).toBe(2);
  });

  test('an instance inherits what global_defs says, and may say otherwise', () => {
    const globals =
      'global_defs {\n vrrp_version 3\n vrrp_garp_master_delay 2\n vrrp_garp_master_repeat 3\n vrrp_down_timer_adverts 4\n vrrp_check_unicast_src\n vrrp_mcast_group4 224.0.0.99\n vrrp_notify_priority_changes\n vrrp_higher_prio_send_advert\n}';
    expect(instanceOf('garp_master_delay 9\nhigher_prio_send_advert off', globals)).toMatchObject({
      version: 3,
      downTimerAdverts: 4,
      checkUnicastSource: true,
      higherPrioSendAdvert: false,
      multicastGroup: ip('224.0.0.99'),
      // The instance's own garp_master_delay is not inherited by garp_lower_prio_delay.
      garp: {
        masterDelay: seconds(9),
        masterRepeat: 3,
        lowerPrioDelay: seconds(2),
        lowerPrioRepeat: 3,
      },
      notify: { priorityChanges: true },
    });
  });

  test('vrrp_min_garp is one packet and no second block', () => {
    expect(instanceOf('', 'global_defs {\n vrrp_min_garp\n}').garp).toMatchObject({
      masterDelay: 0,
      masterRepeat: 1,
    });
  });

  test('garp_group paces the interfaces that it names', () => {
    const group =
      'garp_group {\n garp_interval 0.5\n gna_interval 0.25\n interfaces {\n  eth0 eth1\n }\n}';
    expect(instanceOf('', group).garp).toMatchObject({
      garpInterval: milliseconds(500),
      gnaInterval: milliseconds(250),
    });
    expect(instanceOf('', group.replace('eth0', 'eth9')).garp.garpInterval).toBe(0);
  });

  test('strict mode corrects what the RFC forbids', () => {
    expect(
      instanceOf(
        'strict_mode\nstate MASTER\npreempt_delay 5\ndown_timer_adverts 9\ngarp_lower_prio_repeat 4',
      ),
    ).toMatchObject({
      initialState: 'BACKUP',
      preemptDelay: 0,
      downTimerAdverts: 3,
      lowerPrioNoAdvert: true,
      garp: { lowerPrioRepeat: 0, lowerPrioDelay: 0 },
    });
  });

  test('skip_check_adv_addr no means no, whatever the global default', () => {
    const globals = 'global_defs {\nvrrp_skip_check_adv_addr\n}';
    expect(instanceOf('', globals).skipCheckAdvertAddresses).toBe(true);
    expect(instanceOf('skip_check_adv_addr no', globals).skipCheckAdvertAddresses).toBe(false);
  });

  test.each([
    ['', false],
    ['accept', false],
    ['version 3', false],
    ['version 3\naccept', true],
    ['priority 255', true],
    ['priority 255\nno_accept', true],
  ])('in strict mode with "%s" VIPs answer: %s', (lines, accepts) => {
    expect(instanceOf(`strict_mode\n${lines}`).accept).toBe(accepts);
  });

  test('priority 255 is the owner: MASTER, and nopreempt means nothing', () => {
    const text = instanceText('nopreempt').replace('priority 100', 'priority 255');
    expect(settingsOf(text).vrrp.instances[0]).toMatchObject({
      initialState: 'MASTER',
      preempt: true,
      nopreemptDisarmed: true,
    });
  });

  test('the same VRID may serve unicast peers that do not meet, or other groups', () => {
    const other = (lines: string): string => instanceText(lines).replace('A {', 'B {');
    const peer = (last: number): string => `unicast_peer {\n 192.0.2.${last}\n}`;
    expect(load(instanceText(peer(8)) + other(peer(9))).settings).toBeDefined();
    expect(load(instanceText(peer(8)) + other(peer(8))).settings).toBeUndefined();
    expect(load(instanceText() + other('mcast_dst_ip 224.0.0.77')).settings).toBeDefined();
  });
});

describe('the node', () => {
  test('global_defs, statics, delays, FIFOs and scripts', () => {
    const settings = settingsOf(
      instanceText(
        '',
        'net_namespace blue\nglobal_defs {\n router_id r\n script_user bob staff\n enable_script_security\n dynamic_interfaces\n default_interface eth4\n vrrp_startup_delay 2.5\n notify_fifo /run/f\n notify_fifo_script "/bin/r x"\n vrrp_notify_fifo /run/g\n fifo_write_vrrp_states_on_reload\n startup_script "/bin/s" root\n startup_script_timeout 5\n shutdown_script /bin/t\n log_unknown_vrids\n}\nstatic_ipaddress {\n 10.5.0.1/24\n}\nstatic_routes {\n 10.6.0.0/16 via 10.5.0.2\n}\nstatic_rules {\n from 10.5.0.1 table 5\n}\ninterface_up_down_delays {\n eth0 1.5\n eth1 2 3\n}',
      ),
    );
    expect(settings.netNamespace).toBe('blue');
    expect(settings.vrrp).toMatchObject({
      routerId: 'r',
      scriptUser: { user: 'bob', group: 'staff' },
      enableScriptSecurity: true,
      dynamicInterfaces: true,
      startupDelay: milliseconds(2_500),
      notifyFifo: { path: '/run/f', script: { words: ['/bin/r', 'x'] } },
      vrrpNotifyFifo: { path: '/run/g' },
      fifoWriteStatesOnReload: true,
      startupScript: { command: { words: ['/bin/s'], user: 'root' }, timeout: seconds(5) },
      shutdownScript: { command: { words: ['/bin/t'] }, timeout: seconds(10) },
      logUnknownVrids: true,
      staticAddresses: [{ spec: { interfaceName: 'eth4', prefixLength: 24 } }],
      staticRoutes: [{ text: '10.6.0.0/16 via 10.5.0.2' }],
      staticRules: [{ text: 'from 10.5.0.1 table 5 priority 16384' }],
      interfaceDelays: [
        { interfaceName: 'eth0', down: milliseconds(1_500), up: milliseconds(1_500) },
        { interfaceName: 'eth1', down: seconds(2), up: seconds(3) },
      ],
    });
  });

  test('a node is called by node_name, else by router_id, else by its host name', () => {
    const named = (lines: string): string =>
      settingsOf(instanceText('', `global_defs {\n${lines}\n}`)).keepstate.nodeName;
    expect(named('router_id fw1\nnode_name n')).toBe('n');
    expect(named('router_id fw1')).toBe('fw1');
    expect(named('')).toBe('node1.example');
  });

  test("keepstate's own keywords", () => {
    const link =
      'UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface e }';
    const settings = settingsOf(
      instanceText(
        '',
        `global_defs {\n control_socket /run/c\n state_directory /var/s\n node_name n\n commit_before_vip off\n commit_deadline 1500\n commit_limit 3000\n preempt_sync_timeout 2.5\n peer_port off\n sync_peer 192.0.2.1\n sync_peer 192.0.2.1 fe80::1\n accept_any_sync_source\n history_size 9\n log_format json\n return_role on\n}\nSync { ${link} }`,
      ),
    );
    expect(settings.keepstate).toEqual({
      controlPath: '/run/c',
      stateDirectory: '/var/s',
      nodeName: 'n',
      commitBeforeVip: false,
      commitDeadline: milliseconds(1_500),
      commitLimit: milliseconds(3_000),
      preemptSyncTimeout: milliseconds(2_500),
      historySize: 9,
      logFormat: 'json',
      returnRole: true,
    });
    expect(settings.sync).toMatchObject({ nodeName: 'n', acceptAnySource: true });
    expect(settings.sync?.multicastPeers?.map(formatIp)).toEqual(['192.0.2.1', 'fe80::1']);
    expect(settings.sync && 'peerPort' in settings.sync).toBe(false);
  });

  test('links: kinds, default, buffers; options and filter', () => {
    const tcp = (n: number, mark = ''): string =>
      `TCP ${mark} { IPv6_address fd00::${n} IPv6_Destination_Address fd00::9 Port 378${n} Interface e${n} ErrorQueueLength 5 Checksum off }`;
    const { sync } = settingsOf(
      `Sync { Mode notrack { DisableInternalCache on StartupResync yes } ${tcp(1)} ${tcp(2, 'Default')} Options { TCPWindowTracking On ExpectationSync { ftp sip } } }\nGeneral { NetlinkOverrunResync off Filter From Kernelspace { State Ignore { SYN_SENT CLOSE for TCP } Protocol Accept { 47 tcp } Address Accept { IPv4_address 10.0.0.0/8 IPv6_address fd00::/8 } } }`,
    );
    expect(sync).toMatchObject({
      mode: 'NOTRACK',
      disableInternalCache: true,
      startupResync: true,
      tcpWindowTracking: true,
      expectationSync: ['ftp', 'sip'],
      peerPort: 3782,
      links: [
        {
          kind: 'tcp',
          family: 6,
          port: 3781,
          isDefault: false,
          errorQueueLength: 5,
          checksum: false,
        },
        { kind: 'tcp', family: 6, port: 3782, isDefault: true },
      ],
      filter: {
        from: 'kernelspace',
        tcpState: { policy: 'ignore', entries: [1, 8] },
        protocol: { policy: 'accept', entries: [47, 6] },
        address: { policy: 'accept', entries: [{ prefixLength: 8 }, { prefixLength: 8 }] },
      },
    });
  });

  test('a log of ended connections, alone, goes by what General says of the kernel', () => {
    const { settings, problems } = load(
      'Stats { LogFile on Syslog local5 }\nGeneral { Syslog off HashLimit 7 PollSecs 9 Filter { Protocol Accept { TCP } } }',
    );
    expect(settings?.general).toEqual({ lockFile: '/var/lock/conntrackd.lock' });
    expect(settings?.sync).toBeUndefined();
    expect(settings?.statistics).toEqual({
      file: '/var/log/conntrackd-stats.log',
      syslogFacility: 'local5',
      json: false,
      sinceTakeover: false,
      kernel: {
        hashLimit: 7,
        netlinkBufferMaxGrowthBytes: 0,
        netlinkEventsReliable: false,
        pollSeconds: 9,
        filter: { from: 'userspace', protocol: { policy: 'accept', entries: [6] } },
      },
    });
    expect(problems).toEqual([]);
  });

  test('beside Sync it logs what replication knows', () => {
    const udpSync =
      'Sync { Mode FTFW { } UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 } }\n';
    const stats = 'Stats { LogFile /x Syslog off json on since_takeover on }';
    const { settings } = load(`${udpSync}${stats}`);
    expect(settings?.sync?.mode).toBe('FTFW');
    expect(settings?.statistics).toEqual({ file: '/x', json: true, sinceTakeover: true });
  });

  test('one that goes nowhere is a warning', () => {
    const { settings, problems } = load('Stats { LogFile off }');
    expect(settings?.statistics).toMatchObject({ json: false });
    expect(problems).toMatchObject([{ code: 'no-effect', severity: 'warning' }]);
    expect(problems[0]?.message).toContain('logs nothing');
  });

  test('settings are frozen', () => {
    const settings = settingsOf(instanceText());
    expect(Object.isFrozen(settings.vrrp.instances[0]?.garp)).toBe(true);
  });

  test('a bad delay is refused', () => {
    expect(
      load(`interface_up_down_delays {\n eth0 300\n}\n${instanceText()}`).settings,
    ).toBeUndefined();
  });
});
