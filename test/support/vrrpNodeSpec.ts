/**
 * One VRRP node of an interop test, said once and given to both kinds of daemon: as a keepalived.conf, and
 * as the settings of a VrrpRouter. Defaults are keepalived's.
 */
import { isIPv6 } from 'node:net';
import { parseIp, type IpAddress } from '../../src/base/ipAddress.js';
import { microseconds, seconds } from '../../src/base/time.js';
import type {
  InstanceSettings,
  NotifySettings,
  SyncGroupSettings,
  VrrpSettings,
} from '../../src/vrrp/settings.js';

export interface InstanceSpec {
  readonly name: string;
  readonly interfaceName: string;
  readonly vrid: number;
  readonly priority: number;
  /** «address/prefix»; the interface is the instance's. */
  readonly vips: readonly string[];
  readonly version?: 2 | 3;
  readonly state?: 'MASTER' | 'BACKUP';
  /** Seconds. */
  readonly advertInterval?: number;
  readonly password?: string;
  readonly nopreempt?: boolean;
  readonly preemptDelay?: number;
  /** Unicast where given. */
  readonly peers?: readonly string[];
  readonly source?: string;
  /** Without weight: FAULT when one is down. */
  readonly trackInterfaces?: readonly string[];
  readonly garpMasterDelay?: number;
  readonly garpMasterRepeat?: number;
  readonly garpMasterRefresh?: number;
}

export interface NodeSpec {
  readonly instances: readonly InstanceSpec[];
  readonly groups?: readonly { readonly name: string; readonly members: readonly string[] }[];
  /** Called for every state of every instance and group, as `notify`. */
  readonly notify?: string;
}

export function keepalivedConf(spec: NodeSpec): string {
  const notify = spec.notify === undefined ? [] : [`  notify "${spec.notify}"`];
  const groups = (spec.groups ?? []).flatMap((group) => [
    `vrrp_sync_group ${group.name} {`,
    '  group {',
    ...group.members.map((member) => `    ${member}`),
    '  }',
    ...notify,
    '}',
  ]);
  const instances = spec.instances.flatMap((one) => [
    `vrrp_instance ${one.name} {`,
    ...instanceLines(one),
    ...notify,
    '}',
  ]);
  return ['global_defs {', '  script_user root', '}', ...groups, ...instances, ''].join('\n');
}

function instanceLines(one: InstanceSpec): string[] {
  const when = (text: string, condition: unknown): string[] =>
    condition === undefined || condition === false ? [] : [text];
  return [
    `  interface ${one.interfaceName}`,
    `  virtual_router_id ${one.vrid}`,
    `  priority ${one.priority}`,
    `  state ${one.state ?? 'BACKUP'}`,
    `  version ${one.version ?? 2}`,
    `  advert_int ${one.advertInterval ?? 1}`,
    ...when('  nopreempt', one.nopreempt),
    ...when(`  preempt_delay ${one.preemptDelay ?? 0}`, one.preemptDelay),
    ...when(`  garp_master_delay ${one.garpMasterDelay ?? 5}`, one.garpMasterDelay),
    ...when(`  garp_master_repeat ${one.garpMasterRepeat ?? 5}`, one.garpMasterRepeat),
    ...when(`  garp_master_refresh ${one.garpMasterRefresh ?? 0}`, one.garpMasterRefresh),
    ...(one.trackInterfaces === undefined
      ? []
      : ['  track_interface {', ...one.trackInterfaces, '  }']),
    ...(one.password === undefined
      ? []
      : ['  authentication {', '    auth_type PASS', `    auth_pass ${one.password}`, '  }']),
    ...when(
      `  ${one.peers === undefined ? 'mcast_src_ip' : 'unicast_src_ip'} ${one.source ?? ''}`,
      one.source,
    ),
    ...(one.peers === undefined ? [] : ['  unicast_peer {', ...one.peers, '  }']),
    '  virtual_ipaddress {',
    ...one.vips.map((vip) => `    ${vip}`),
    '  }',
  ];
}

export function routerSettings(spec: NodeSpec): VrrpSettings {
  const notify: NotifySettings = {
    priorityChanges: false,
    ...(spec.notify === undefined ? {} : { generic: { words: spec.notify.split(' ') } }),
  };
  const groups = (spec.groups ?? []).map((group): SyncGroupSettings => ({
    ...group,
    tracking: noTracking,
    trackingWeight: false,
    notify,
  }));
  return {
    routerId: 'lab',
    instances: spec.instances.map((one) => instanceOf(one, notify)),
    groups,
    scripts: [],
    files: [],
    processes: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
    scriptUser: { user: 'root' },
    enableScriptSecurity: false,
    startupDelay: microseconds(0),
    fifoWriteStatesOnReload: false,
    logUnknownVrids: false,
    dynamicInterfaces: false,
    interfaceDelays: [],
  };
}

const noTracking = { interfaces: [], scripts: [], files: [], processes: [] };

function instanceOf(one: InstanceSpec, notify: NotifySettings): InstanceSettings {
  const family = isIPv6(one.vips[0]?.split('/')[0] ?? '') ? 6 : 4;
  const isDisarmed = one.nopreempt === true && (one.state === 'MASTER' || one.priority === 255);
  const repeat = one.garpMasterRepeat ?? 5;
  return {
    name: one.name,
    interfaceName: one.interfaceName,
    family,
    version: family === 6 ? 3 : (one.version ?? 2),
    virtualRouterId: one.vrid,
    priority: one.priority,
    initialState: one.state ?? 'BACKUP',
    advertInterval: seconds(one.advertInterval ?? 1),
    authentication:
      one.password === undefined
        ? { kind: 'none' }
        : { kind: 'pass', bytes: passwordBytes(one.password) },
    preempt: one.nopreempt !== true || isDisarmed,
    nopreemptDisarmed: isDisarmed,
    preemptDelay: seconds(one.state === 'MASTER' ? 0 : (one.preemptDelay ?? 0)),
    downTimerAdverts: 3,
    ...(one.source === undefined ? {} : { sourceAddress: address(one.source) }),
    trackSourceAddress: false,
    unicastPeers: (one.peers ?? []).map((peer) => ({ address: address(peer) })),
    checkUnicastSource: false,
    unicastTtl: 255,
    multicastGroup: address(family === 4 ? '224.0.0.18' : 'ff02::12'),
    virtualAddresses: one.vips.map((vip) => {
      const [text = '', prefix = '32'] = vip.split('/');
      return {
        isTracked: true,
        spec: {
          interfaceName: one.interfaceName,
          address: address(text),
          prefixLength: Number(prefix),
          ...(family === 6 ? { flags: 0x02 } : {}),
        },
      };
    }),
    excludedAddresses: [],
    virtualRoutes: [],
    virtualRules: [],
    promoteSecondaries: false,
    garp: {
      masterDelay: seconds(one.garpMasterDelay ?? 5),
      masterRepeat: repeat,
      masterRefresh: seconds(one.garpMasterRefresh ?? 0),
      masterRefreshRepeat: 1,
      lowerPrioDelay: seconds(5),
      lowerPrioRepeat: 5,
      garpInterval: microseconds(0),
      gnaInterval: microseconds(0),
    },
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: false,
    skipCheckAdvertAddresses: false,
    strict: false,
    accept: true,
    trackPrimary: true,
    tracking: {
      ...noTracking,
      interfaces: (one.trackInterfaces ?? []).map((name) => ({
        name,
        weight: 0,
        isReversed: false,
      })),
    },
    notify,
  };
}

function address(text: string): IpAddress {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

function passwordBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.set(new TextEncoder().encode(text).subarray(0, 8));
  return bytes;
}
