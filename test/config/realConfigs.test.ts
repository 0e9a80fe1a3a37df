/** Configurations as people run them, alone and in pairs, against expectations written by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseIp, type IpAddress } from '../../src/base/ipAddress.js';
import { microseconds, seconds } from '../../src/base/time.js';
import type { NodeSettings } from '../../src/config/nodeSettings.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import type { InstanceSettings } from '../../src/vrrp/settings.js';
import { load, placesOf } from './loading.js';

const read = (...names: readonly string[]): string =>
  names.map((name) => readFileSync(join(__dirname, 'fixtures', `${name}.conf`), 'utf8')).join('');

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};

const noTracking = { interfaces: [], scripts: [], files: [], processes: [] };
const silent = { priorityChanges: false };

/** What keepalived 2.2.7 takes where the file says nothing. */
const instanceDefaults: Omit<InstanceSettings, 'name' | 'interfaceName' | 'virtualRouterId'> = {
  family: 4,
  version: 2,
  priority: 100,
  initialState: 'BACKUP',
  advertInterval: seconds(1),
  authentication: { kind: 'none' },
  preempt: true,
  nopreemptDisarmed: false,
  preemptDelay: microseconds(0),
  downTimerAdverts: 3,
  trackSourceAddress: false,
  unicastPeers: [],
  checkUnicastSource: false,
  unicastTtl: 255,
  multicastGroup: ip('224.0.0.18'),
  virtualAddresses: [],
  excludedAddresses: [],
  virtualRoutes: [],
  virtualRules: [],
  promoteSecondaries: false,
  garp: {
    masterDelay: seconds(5),
    masterRepeat: 5,
    masterRefresh: seconds(0),
    masterRefreshRepeat: 1,
    lowerPrioDelay: seconds(5),
    lowerPrioRepeat: 5,
    garpInterval: seconds(0),
    gnaInterval: seconds(0),
  },
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  skipCheckAdvertAddresses: false,
  strict: false,
  accept: true,
  trackPrimary: true,
  tracking: noTracking,
  notify: silent,
};

const vip = (address: string, prefixLength: number, interfaceName: string, brd?: string) => ({
  spec: {
    interfaceName,
    address: ip(address),
    prefixLength,
    ...(brd === undefined ? {} : { broadcast: ip(brd) }),
  },
  isTracked: true,
});

function unicastInstance(
  name: string,
  vrid: number,
  device: string,
  net: string,
  last: string,
  node: 1 | 2,
): InstanceSettings {
  const isFirst = node === 1;
  return {
    ...instanceDefaults,
    name,
    interfaceName: device,
    virtualRouterId: vrid,
    priority: isFirst ? 50 : 25,
    initialState: isFirst ? 'MASTER' : 'BACKUP',
    preempt: isFirst,
    nopreemptDisarmed: isFirst,
    authentication: { kind: 'pass', bytes: Uint8Array.of(0x32, 0x34, 0x36, 0x38, 0, 0, 0, 0) },
    sourceAddress: ip(`${net}.${node}`),
    unicastPeers: [{ address: ip(`${net}.${3 - node}`) }],
    virtualAddresses: [vip(`${net}.${last}`, 24, device)],
    garp: { ...instanceDefaults.garp, masterDelay: seconds(1) },
  };
}

const unicastSync = (node: 1 | 2, own: readonly string[]): SyncSettings => ({
  mode: 'FTFW',
  links: [
    {
      kind: 'udp',
      family: 4,
      interfaceName: 'ens3',
      localAddress: ip(`172.31.0.${node}`),
      destination: ip(`172.31.0.${3 - node}`),
      port: 3780,
      isDefault: true,
      sendBufferBytes: 1_249_280,
      receiveBufferBytes: 1_249_280,
      checksum: true,
      errorQueueLength: 128,
    },
  ],
  resendQueueSize: 131_072,
  ackWindowSize: 300,
  commitTimeoutSeconds: 180,
  purgeTimeout: seconds(5),
  disableExternalCache: false,
  disableInternalCache: false,
  startupResync: false,
  refreshTimeSeconds: 60,
  cacheTimeoutSeconds: 180,
  tcpWindowTracking: false,
  expectationSync: 'off',
  hashLimit: 131_072,
  netlinkBufferBytes: 2_097_152,
  netlinkBufferMaxGrowthBytes: 8_388_608,
  netlinkEventsReliable: true,
  pollSeconds: 5,
  filter: {
    from: 'userspace',
    protocol: { policy: 'accept', entries: [6, 17, 1] },
    address: {
      policy: 'ignore',
      entries: [
        ...['127.0.0.1', '10.20.0.1', '10.20.0.2', '10.20.0.3'],
        ...['198.51.100.1', '198.51.100.2', '198.51.100.250'],
      ].map((address) => ({ address: ip(address), prefixLength: 32 })),
    },
  },
  ownAddresses: [...own, `172.31.0.${node}`, `172.31.0.${3 - node}`].map(ip),
  peerPort: 3781,
  nodeName: 'node1.example',
  acceptAnySource: false,
});

const unicastNode = (node: 1 | 2): NodeSettings => ({
  vrrp: {
    routerId: 'node1.example',
    instances: [
      unicastInstance('IN', 11, 'ens4', '10.20.0', '3', node),
      unicastInstance('OUT', 22, 'ens2', '198.51.100', '250', node),
    ],
    groups: [
      {
        name: 'EDGE',
        members: ['OUT', 'IN'],
        tracking: noTracking,
        trackingWeight: false,
        notify: silent,
      },
    ],
    scripts: [],
    files: [],
    processes: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
    enableScriptSecurity: false,
    startupDelay: seconds(0),
    fifoWriteStatesOnReload: false,
    logUnknownVrids: false,
    dynamicInterfaces: false,
    interfaceDelays: [],
  },
  sync: unicastSync(node, ['10.20.0.3', `10.20.0.${node}`, '198.51.100.250', `198.51.100.${node}`]),
  general: {
    logFile: '/var/log/conntrackd.log',
    syslogFacility: 'daemon',
    lockFile: '/var/lock/conntrack.lock',
    unixPath: '/var/run/conntrackd.ctl',
  },
  keepstate: {
    controlPath: '/run/keepstate/control.sock',
    stateDirectory: '/var/lib/keepstate',
    nodeName: 'node1.example',
    commitBeforeVip: true,
    commitDeadline: seconds(1),
    commitLimit: seconds(10),
    preemptSyncTimeout: seconds(60),
    returnRole: false,
    logFormat: 'text',
    historySize: 1_000,
  },
  scheduling: { vrrp: { nice: -20 }, sync: { nice: -20 } },
  binding: {
    kind: 'group',
    name: 'EDGE',
    because: 'its notify line 7 calls primary-backup.sh',
  },
  sources: ['/etc/node.conf'],
});

describe('a unicast pair of firewalls', () => {
  test.each([1, 2] as const)('node %d means what its two files say', (node) => {
    const result = load(read(`unicast-fw${node}.keepalived`, `unicast-fw${node}.conntrackd`));
    expect(result.settings).toEqual(unicastNode(node));
  });

  test('the first node is warned where state MASTER disarms nopreempt', () => {
    const result = load(read('unicast-fw1.keepalived', 'unicast-fw1.conntrackd'));
    expect(placesOf(result)).toEqual([
      'warning clear-text-password 24:9',
      'warning nopreempt-disarmed 29:5',
      'warning clear-text-password 45:9',
      'warning nopreempt-disarmed 50:5',
      'warning no-effect 75:5',
      'warning overrun-and-reliable 79:5',
      'warning poll-and-events 81:5',
      'warning no-effect 82:5',
      'warning no-effect 86:9',
      'warning own-address-not-ignored 96:9',
    ]);
  });

  test('on the second node nopreempt works and is not warned about', () => {
    const result = load(read('unicast-fw2.keepalived'));
    expect(placesOf(result)).toEqual([
      'warning clear-text-password 24:9',
      'warning clear-text-password 45:9',
    ]);
  });

  test('the order of the blocks means nothing', () => {
    const { settings } = load(read('unicast-fw1.conntrackd', 'unicast-fw1.keepalived'));
    const expected = unicastNode(1);
    const because = 'its notify line 61 calls primary-backup.sh';
    expect(settings).toEqual({ ...expected, binding: { ...expected.binding, because } });
  });

  test('without a Sync block the scripts stay scripts', () => {
    const { settings } = load(read('unicast-fw1.keepalived'));
    expect(settings?.binding.kind).toBe('none');
    expect(settings?.vrrp.groups[0]?.notify.master?.words).toEqual([
      '/etc/conntrackd/primary-backup.sh',
      'primary',
    ]);
  });
});

describe('a multicast pair of routers', () => {
  test.each([
    ['master', 'MASTER', 100],
    ['backup', 'BACKUP', 50],
  ] as const)('the %s means what its two files say, with two warnings', (node, state, priority) => {
    const result = load(read(`multicast-${node}.keepalived`, 'multicast.conntrackd'));
    expect(placesOf(result)).toEqual(['warning no-sync-peer 33:5', 'warning no-effect 44:5']);
    expect(result.settings?.vrrp.instances).toEqual([
      {
        ...instanceDefaults,
        name: 'router-pair-wan',
        interfaceName: 'eth0',
        virtualRouterId: 10,
        priority,
        initialState: state,
        virtualAddresses: [vip('203.0.113.10', 24, 'eth0', '203.0.113.255')],
      },
      {
        ...instanceDefaults,
        name: 'router-pair-lan',
        interfaceName: 'eth1',
        virtualRouterId: 11,
        priority,
        initialState: state,
        virtualAddresses: [vip('192.168.7.3', 24, 'eth1', '192.168.7.255')],
      },
    ]);
    expect(result.settings?.binding).toMatchObject({ kind: 'group', name: 'router-pair' });
    expect(result.settings?.sync?.links).toEqual([
      {
        kind: 'multicast',
        family: 4,
        interfaceName: 'eth2',
        localAddress: ip('172.31.1.1'),
        destination: ip('225.0.0.50'),
        port: 3780,
        isDefault: true,
        sendBufferBytes: 1_249_280,
        receiveBufferBytes: 1_249_280,
        checksum: true,
        errorQueueLength: 0,
      },
    ]);
  });
});

describe('a cloud router, indented with no-break spaces', () => {
  const result = load(read('cloud-router.keepalived', 'cloud-router.conntrackd'));

  test('means what its two files say', () => {
    const command = (word: string) => ({ words: ['/opt/router/role.py', word] });
    expect(result.settings?.vrrp.instances).toEqual([
      {
        ...instanceDefaults,
        name: 'inside',
        interfaceName: 'eth0',
        virtualRouterId: 51,
        preempt: false,
        authentication: { kind: 'pass', bytes: Uint8Array.from(Buffer.from('8CharsOk')) },
        virtualAddresses: [vip('10.30.1.1', 32, 'eth0', '10.30.1.255')],
        tracking: {
          ...noTracking,
          scripts: [{ name: 'alive', weight: 0, isReversed: false }],
        },
        notify: {
          ...silent,
          master: command('--master'),
          backup: command('--backup'),
          fault: command('--fault'),
        },
      },
    ]);
    expect(result.settings?.vrrp.scripts).toEqual([
      {
        name: 'alive',
        command: { words: ['/opt/router/alive.sh'] },
        interval: seconds(5),
        timeout: seconds(5),
        weight: 0,
        isReversed: false,
        rise: 1,
        fall: 1,
        initFail: false,
      },
    ]);
    expect(result.settings?.vrrp.routerId).toBe('r-21-VM');
    expect(result.settings?.binding).toEqual({
      kind: 'instance',
      name: 'inside',
      because: 'it is the only instance',
    });
  });

  test('is warned about what bites', () => {
    expect(placesOf(result)).toEqual([
      'warning no-break-space 2:1',
      'warning default-priority 10:1',
      'warning clear-text-password 19:9',
      'warning no-sync-peer 40:5',
      'warning no-effect 52:5',
      'warning no-effect 58:9',
      'warning own-address-not-ignored 68:9',
    ]);
  });
});
