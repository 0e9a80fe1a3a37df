/** What runs but bites: each warning at its place, and not where it does not belong. */
import { instanceText, load, machineWith, placesOf } from '../loading.js';

const general = (lines: string, mode = ''): string =>
  `Sync {\n  Mode FTFW { ${mode} }\n  UDP { IPv4_address 10.9.0.1 IPv4_Destination_Address 10.9.0.2 Port 3780 Interface eth1 }\n}\nGeneral {\n  HashLimit 1000\n${lines}\n${lines.includes('Filter') ? '' : everythingIgnored}}\n`;
const everythingIgnored =
  '  Filter { Address Ignore { IPv4_address 10.9.0.0/30 IPv4_address 192.0.2.0/24 } }\n';
const pair = (groupLines: string, priorityB: number, linesB = ''): string =>
  `${instanceText()}${instanceText(linesB).replace('A {', 'B {').replace('_id 7', '_id 8').replace('100', String(priorityB))}vrrp_sync_group G {\n  group { A B }\n${groupLines}\n}\n`;

describe('warnings about roles', () => {
  test.each([
    [
      'state MASTER disarms nopreempt',
      instanceText('state MASTER\nnopreempt'),
      'nopreempt-disarmed 9:5',
    ],
    [
      'state MASTER disarms preempt_delay',
      instanceText('state MASTER\npreempt_delay 9'),
      'preempt-delay-disarmed 9:5',
    ],
    ['an unknown state is BACKUP', instanceText('state SLAVE'), 'unknown-state 8:5'],
    [
      'no priority is 100',
      instanceText().replace('    priority 100\n', ''),
      'default-priority 1:1',
    ],
    [
      'no priority with state MASTER is 255',
      instanceText('state MASTER').replace('    priority 100\n', ''),
      'owner-by-default 1:1',
    ],
    ['a fraction of a second in version 2', instanceText('advert_int 0.3'), 'rounded 8:5'],
    [
      'a fraction finer than version 3 carries',
      instanceText('version 3\nadvert_int 0.505'),
      'rounded 9:5',
    ],
    [
      'unicast source without peers',
      instanceText('unicast_src_ip 192.0.2.9'),
      'unicast-without-peer 8:5',
    ],
    [
      'a group address beside unicast',
      instanceText('mcast_dst_ip 224.0.0.20\nunicast_peer {\n  192.0.2.9\n}'),
      'no-effect 8:5',
    ],
    [
      'strict mode and unicast',
      instanceText('strict_mode\nunicast_peer {\n  192.0.2.9\n}'),
      'strict-mode 9:5',
    ],
    [
      'a broadcast address as virtual address',
      instanceText('virtual_ipaddress {\n  198.51.100.255/24\n}'),
      'unusual-address 9:7',
    ],
    [
      'the address of a network as virtual address',
      instanceText('virtual_ipaddress {\n  10.128.0.0/9\n}'),
      'unusual-address 9:7',
    ],
    ['strict mode and accept', instanceText('strict_mode\naccept'), 'strict-mode 9:5'],
    [
      'strict mode and down_timer_adverts',
      instanceText('strict_mode\ndown_timer_adverts 5'),
      'strict-mode 9:5',
    ],
    [
      'strict mode and garp_lower_prio_repeat',
      instanceText('strict_mode\ngarp_lower_prio_repeat 5'),
      'strict-mode 9:5',
    ],
    [
      'strict mode and higher_prio_send_advert',
      instanceText('strict_mode\nhigher_prio_send_advert'),
      'strict-mode 9:5',
    ],
    [
      'preempt_delay beside nopreempt',
      instanceText('nopreempt\npreempt_delay 5'),
      'preempt-delay-disarmed 9:5',
    ],
    ['strict mode and state MASTER', instanceText('strict_mode\nstate MASTER'), 'strict-mode 9:5'],
    [
      'no addresses',
      instanceText().replace(/ {4}virtual_ipaddress[^}]*\}\n/, ''),
      'no-address 1:1',
    ],
    [
      'an address twice',
      instanceText('virtual_ipaddress {\n  192.0.2.1/24\n}'),
      'duplicate-address 9:7',
    ],
    ['a keyword twice', instanceText('advert_int 1\nadvert_int 2'), 'repeated 9:5'],
    ['no packet for garp', instanceText('garp_master_repeat 0'), 'out-of-range 8:5'],
    [
      'its own interface tracked',
      instanceText('track_interface {\n  eth0\n}'),
      'own-interface 9:7',
    ],
    [
      'a script that nothing tracks',
      instanceText('', 'vrrp_script s {\n  script "/x"\n}'),
      'unused 9:1',
    ],
    ['weight 254', instanceText('track_interface {\n  eth1 weight 254\n}'), 'out-of-range 9:19'],
    ['a keyword without effect', instanceText('debug 1'), 'no-effect 8:5'],
    ['members with different priorities', pair('', 50), 'group-priorities 17:1'],
    [
      'a weight inside a group',
      pair('', 100, 'track_interface {\n  eth5 weight 5\n}'),
      'weight-in-group 17:7',
    ],
    [
      'a group of one',
      `${instanceText()}vrrp_sync_group G {\n  group { A }\n}\n`,
      'single-member 9:1',
    ],
  ])('%s', (_title, text, place) => {
    const result = load(text);
    expect(result.settings).toBeDefined();
    expect(placesOf(result)).toEqual([`warning ${place}`]);
  });

  test('each weight inside a group is named, of files too', () => {
    const tracked = 'track_interface {\n  eth5 weight 5\n}\ntrack_file {\n  f weight 2\n}';
    const result = load(`${pair('', 100, tracked)}track_file f {\n  file /f\n}\n`);
    const said = result.problems.filter(({ code }) => code === 'weight-in-group');
    expect(said.map(({ message }) => message.split("'")[1])).toEqual(['eth5', 'f']);
  });

  test('sync_group_tracking_weight makes weights of members count', () => {
    const text = pair('  sync_group_tracking_weight', 100, 'track_interface {\n  eth5 weight 5\n}');
    expect(load(text).problems).toEqual([]);
  });

  test('adverts below 50 ms are served in time by real time only', () => {
    const hasty = (interval: string, head = ''): string =>
      head + instanceText(`version 3\n  advert_int ${interval}`);
    const said = (text: string): readonly string[] =>
      load(text).problems.map(({ code, message }) => `${code}: ${message}`);
    expect(said(hasty('0.04'))).toEqual([
      'fast-adverts: A advertises every 40 ms without real-time scheduling: ' +
        'on a busy machine the peer takes the role for a moment',
    ]);
    expect(said(hasty('0.05'))).toEqual([]);
    expect(said(hasty('0.01', 'global_defs {\n  vrrp_rt_priority 50\n}\n'))).toEqual([]);
    const nice = said(hasty('0.01', 'global_defs {\n  vrrp_priority -20\n}\n'));
    expect(nice.map((line) => line.split(':')[0])).toEqual(['fast-adverts']);
  });

  const auth = (pass: string, lines = ''): string =>
    instanceText(`authentication {\n  auth_type PASS\n  auth_pass ${pass}\n}${lines}`);

  test('a password is clear text, and longer than 8 it is cut', () => {
    expect(placesOf(load(auth('12345678')))).toEqual(['warning clear-text-password 10:7']);
    const long = load(auth('123456789'));
    expect(placesOf(long)).toEqual([
      'warning password-truncated 10:7',
      'warning clear-text-password 10:7',
    ]);
    expect(long.settings?.vrrp.instances[0]?.authentication).toEqual({
      kind: 'pass',
      bytes: Uint8Array.from(Buffer.from('12345678')),
    });
  });

  test('version 3 leaves authentication out', () => {
    const result = load(auth('x', '\nversion 3'));
    expect(placesOf(result)).toEqual(['warning no-authentication 8:5']);
    expect(result.settings?.vrrp.instances[0]?.authentication).toEqual({ kind: 'none' });
  });
});

describe('warnings about replication', () => {
  const ignore = (addresses: string): string => `  Filter { Address Ignore { ${addresses} } }`;

  test.each([
    ['PollSecs', general('  PollSecs 5'), ['poll-and-events 7:3']],
    [
      'PollSecs beside reliable events',
      general('  NetlinkEventsReliable on\n  PollSecs 5'),
      ['poll-and-events 8:3'],
    ],
    [
      'overrun resync beside reliable events',
      general('  NetlinkEventsReliable on\n  NetlinkOverrunResync 5'),
      ['overrun-and-reliable 8:3'],
    ],
    ['overrun resync alone', general('  NetlinkOverrunResync 5'), ['no-effect 7:3']],
    [
      'no overrun resync',
      general('  NetlinkEventsReliable on\n  NetlinkOverrunResync off'),
      ['no-effect 8:3'],
    ],
    ['Systemd off', general('  Systemd off'), ['no-effect 7:3']],
    ['Systemd on', general('  Systemd on'), []],
    [
      'sizes that size nothing',
      general('  HashSize 5\n  EventIterationLimit 9'),
      ['no-effect 7:3', 'no-effect 8:3'],
    ],
    [
      'buffer above its growth',
      general('  NetlinkBufferSize 9000\n  NetlinkBufferSizeMaxGrowth 8000'),
      ['buffer-growth 7:3'],
    ],
    [
      'CommitTimeout beside DisableExternalCache',
      general('', 'CommitTimeout 5 DisableExternalCache on'),
      ['no-effect 2:15'],
    ],
    [
      'link addresses that are not ignored',
      general(ignore('IPv4_address 10.9.0.1')),
      ['own-address-not-ignored 7:12'],
    ],
    ['link addresses in an ignored network', general(ignore('IPv4_address 10.9.0.0/30')), []],
    [
      'a filter that accepts IPv4 alone',
      general('  Filter { Address Accept { IPv4_address 10.0.0.0/8 } }'),
      ['family-not-accepted 7:12'],
    ],
    ['an old mode name', general('').replace('FTFW', 'nack'), ['old-name 2:3']],
    ['no mode', general('').replace('  Mode FTFW {  }\n', ''), ['default-mode 1:1']],
  ])('%s', (_title, text, places) => {
    const result = load(text);
    expect(result.settings?.sync).toBeDefined();
    expect(placesOf(result)).toEqual(places.map((place) => `warning ${place}`));
  });

  test.each([
    [3_780, ['warning same-group 4:39']],
    [3_781, []],
  ])('two multicast links, the second with Group %d', (port, places) => {
    const links = [3_780, port].map(
      (group, i) => `  Multicast { IPv4_address 225.0.0.5${i} Group ${group} Interface eth${i} }`,
    );
    const text = `Sync {\n  Mode FTFW { }\n${links.join('\n')}\n}\nGeneral {\n  HashLimit 1000\n${everythingIgnored}}\nglobal_defs { sync_peer 192.0.2.2 }\n`;
    expect(placesOf(load(text))).toEqual(places);
  });

  test.each([
    [
      'Multicast { IPv4_address 225.0.0.50 Group 3780 Interface eth0 }',
      '',
      ['warning no-sync-peer 3:3'],
    ],
    ['Multicast { IPv4_address 225.0.0.50 Group 3780 Interface eth0 }', 'sync_peer fe80::1', []],
    [
      'UDP { IPv4_address 192.0.2.1 IPv4_Destination_Address 192.0.2.2 Port 3780 Interface eth0 }',
      'sync_peer 192.0.2.2',
      ['warning no-effect 7:15'],
    ],
  ])('%s beside «%s»: who may speak', (link, line, places) => {
    const text = `Sync {\n  Mode FTFW { }\n  ${link}\n}\nGeneral {\n  HashLimit 1000 ${everythingIgnored}}\nglobal_defs { ${line} }\n`;
    const found = placesOf(load(text)).filter((place) => !place.includes('own-address'));
    expect(found.map((place) => place.replace(/ \d+:15$/, ' 7:15'))).toEqual(places);
  });

  test('without a filter nothing is ignored', () => {
    const text = general('Filter { }').replace('Filter { }', '');
    expect(placesOf(load(text))).toEqual(['warning own-address-not-ignored 5:1']);
  });

  test('a VIP that is not ignored is named', () => {
    const text = instanceText('', general(ignore('IPv4_address 10.9.0.0/30')));
    expect(load(text).problems[0]?.message).toContain('192.0.2.1');
  });

  test('nothing says which of several instances drives the synchronisation', () => {
    const other = instanceText().replace('A {', 'B {').replace('_id 7', '_id 8');
    const result = load(instanceText() + other + general(''));
    expect(placesOf(result)).toEqual(['warning no-binding 9:1']);
    expect(result.settings?.binding.kind).toBe('none');
    const excluded = other.replace('priority', 'conntrack_sync off\n    priority');
    expect(load(instanceText() + excluded + general('')).settings?.binding).toMatchObject({
      name: 'A',
    });
  });

  test('the keyword binds, and a bound script line is not run', () => {
    const line = 'notify_master "/etc/conntrackd/primary-backup.sh primary"\nnotify "/x"';
    const bound = load(instanceText(line, general(''))).settings;
    expect(bound?.binding).toMatchObject({ kind: 'instance', name: 'A' });
    expect(bound?.vrrp.instances[0]?.notify).toEqual({
      generic: { words: ['/x'] },
      priorityChanges: false,
    });
    const off = load(instanceText(`conntrack_sync off\n${line}`, general(''))).settings;
    expect(off?.binding.kind).toBe('none');
    expect(off?.vrrp.instances[0]?.notify.master).toBeDefined();
  });

  test('conntrack_sync_script binds a wrapper of another name, which is not run', () => {
    const names = 'global_defs {\n  conntrack_sync_script vyos-vrrp-conntracksync.sh other.sh\n}\n';
    const line = 'notify_master "/libexec/vyos-vrrp-conntracksync.sh master all"\nnotify "/x"';
    const bound = load(names + instanceText(line, general(''))).settings;
    expect(bound?.binding).toMatchObject({
      kind: 'instance',
      because: 'its notify line 11 calls vyos-vrrp-conntracksync.sh',
    });
    expect(bound?.vrrp.instances[0]?.notify).toEqual({
      generic: { words: ['/x'] },
      priorityChanges: false,
    });
  });
});

describe('warnings about the machine', () => {
  const text = instanceText(
    'notify_master "/opt/role.sh master" ghost\ntrack_interface {\n  eth7\n}',
    general(''),
  );

  test('are asked through a port, and not at all without one', () => {
    expect(load(text).problems).toEqual([]);
    expect(load(text, { machine: machineWith() }).problems).toEqual([]);
  });

  test('name what is missing, with its place', () => {
    const machine = machineWith({
      interfaceExists: (name) => name === 'eth0',
      program: () => 'missing',
      userExists: () => false,
      sysctl: (key) => (key === 'net/netfilter/nf_conntrack_max' ? 5_000 : undefined),
    });
    const result = load(text, { machine });
    expect(result.settings).toBeDefined();
    expect(placesOf(result)).toEqual([
      'warning missing-script 8:5',
      'warning missing-user 8:5',
      'warning missing-interface 10:7',
      'warning missing-interface 15:75',
      'warning hash-limit 18:3',
    ]);
  });

  test('a notify script that calls conntrackd by another name than that of the examples', () => {
    const script = '#!/bin/sh\n[ "$1" = master ] && conntrackd -C /etc/c.conf -c\n';
    const machine = machineWith({ scriptText: () => script });
    const result = load(text, { machine });
    expect(placesOf(result)).toEqual(['warning script-calls-conntrackd 8:5']);
    expect(result.problems[0]?.expected).toContain('conntrack_sync_script role.sh');
    const harmless = machineWith({ scriptText: () => '#!/bin/sh\nlogger "$@"\n' });
    expect(load(text, { machine: harmless }).problems).toEqual([]);
  });

  test('interfaces of another network namespace are not asked for here', () => {
    const machine = machineWith({ interfaceExists: () => false, sysctl: () => 5_000 });
    expect(load(`net_namespace blue\n${text}`, { machine }).problems).toEqual([]);
  });

  test('a script that is not executable', () => {
    const machine = machineWith({ program: () => 'not-executable' });
    expect(placesOf(load(text, { machine }))).toEqual(['warning not-executable 8:5']);
  });
});
