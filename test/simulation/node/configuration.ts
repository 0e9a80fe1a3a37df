/** Configurations of the simulated cluster: one text for each node and variant, read once. */
import { loadNodeText, type LoadResult } from '../../../src/config/loadNode.js';
import type { LoadPorts } from '../../../src/config/loadPorts.js';
import { targetAddress, targetName } from '../network/target.js';

export interface ClusterSettings {
  readonly mode: 'FTFW' | 'NOTRACK' | 'ALARM';
  readonly advertSeconds: number;
  readonly preempt: boolean;
  /** `group`: an instance on each side; `one`: one instance with both addresses. */
  readonly instances: 'one' | 'group';
  readonly version: 2 | 3;
  readonly syncLinks: 1 | 2;
  readonly reliableEvents: boolean;
  readonly disableExternalCache: boolean;
  readonly disableInternalCache: boolean;
  readonly purgeSeconds: number;
  readonly hashLimit: number;
  readonly bufferBytes: number;
  /** A target behind the outer segment: its loss is a fault, or lowers the priority. */
  readonly target?: 'none' | 'fault' | 'weight';
}

export const usualSettings: ClusterSettings = {
  mode: 'FTFW',
  advertSeconds: 1,
  preempt: false,
  instances: 'group',
  version: 2,
  syncLinks: 1,
  reliableEvents: false,
  disableExternalCache: false,
  disableInternalCache: false,
  purgeSeconds: 10,
  hashLimit: 8_192,
  bufferBytes: 262_144,
  target: 'none',
};

export const virtualAddress = { lan: '10.1.0.254', wan: '203.0.113.254' } as const;

export const nodeAddresses = {
  lan: ['10.1.0.1', '10.1.0.2'],
  wan: ['203.0.113.1', '203.0.113.2'],
  sync: ['10.3.0.1', '10.3.0.2'],
  sync2: ['10.4.0.1', '10.4.0.2'],
} as const;

/** Seconds: what counts at the end of the faults has ended when the life does. */
const targetHold = 0.3;

const loadPorts: LoadPorts = {
  files: {
    read: () => ({ kind: 'unreadable', reason: 'no files in the simulation' }),
    list: () => [],
  },
  hostName: 'simulated',
};
const known = new Map<string, LoadResult>();

/** The settings of node 0 or 1. Throws where the text has errors. */
export function loadConfiguration(index: 0 | 1, settings: ClusterSettings): LoadResult {
  const text = configurationText(index, settings);
  const before = known.get(text);
  if (before !== undefined) return before;
  const loaded = loadNodeText(text, 'keepstate.conf', loadPorts);
  if (loaded.settings === undefined) {
    throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  }
  known.set(text, loaded);
  return loaded;
}

function configurationText(index: 0 | 1, settings: ClusterSettings): string {
  const name = `fw${index + 1}`;
  const group = `vrrp_sync_group G1 {
  group {
    LAN
    WAN
  }
  ${trackedTarget(settings)}
}
`;
  const { lan, wan } = virtualAddress;
  const instances =
    settings.instances === 'group'
      ? group +
        instance(index, settings, { name: 'LAN', side: 'lan', vrid: 51, vips: [`${lan}/24`] }) +
        instance(index, settings, { name: 'WAN', side: 'wan', vrid: 52, vips: [`${wan}/24`] })
      : instance(index, settings, {
          ...{ name: 'GATEWAY', side: 'lan', vrid: 51 },
          vips: [`${lan}/24 dev lan`, `${wan}/24 dev wan`],
        });
  return `global_defs {
  router_id ${name}
  node_name ${name}
  state_directory /var/lib/keepstate
  control_socket /run/keepstate/control.sock
  vrrp_version ${settings.version}
  reach_hold ${targetHold}
}
${targetBlock(settings)}${instances}${syncBlocks(index, settings)}`;
}

function targetBlock({ target = 'none' }: ClusterSettings): string {
  if (target === 'none') return '';
  return `vrrp_track_target ${targetName} {
  icmp ${targetAddress}
  interface wan
  interval 0.2
  fall 3
  rise 3
}
`;
}

function trackedTarget({ target = 'none' }: ClusterSettings): string {
  if (target === 'none') return '';
  const weight = target === 'weight' ? ' weight -60' : '';
  return `track_target {
    ${targetName}${weight}
  }`;
}

interface InstanceText {
  readonly name: string;
  readonly side: 'lan' | 'wan';
  readonly vrid: number;
  readonly vips: readonly string[];
}

function instance(
  index: 0 | 1,
  settings: ClusterSettings,
  { name, side, vrid, vips }: InstanceText,
): string {
  const { advertSeconds, preempt } = settings;
  const tracked = settings.instances === 'one' ? trackedTarget(settings) : '';
  return `vrrp_instance ${name} {
  interface ${side}
  virtual_router_id ${vrid}
  unicast_src_ip ${nodeAddresses[side][index]}
  unicast_peer {
    ${nodeAddresses[side][1 - index] ?? ''}
  }
  state BACKUP
  ${preempt ? '' : 'nopreempt'}
  priority ${index === 0 ? 150 : 100}
  advert_int ${advertSeconds}
  ${tracked}
  virtual_ipaddress {
    ${vips.join('\n    ')}
  }
}
`;
}

function syncBlocks(index: 0 | 1, settings: ClusterSettings): string {
  const { mode, purgeSeconds, syncLinks, hashLimit, bufferBytes } = settings;
  const onOff = (on: boolean): string => (on ? 'on' : 'off');
  const link = (
    name: 'sync' | 'sync2',
    isDefault: boolean,
  ): string => `  UDP ${isDefault ? 'Default ' : ''}{
    IPv4_address ${nodeAddresses[name][index]}
    IPv4_Destination_Address ${nodeAddresses[name][1 - index] ?? ''}
    Port 3780
    Interface ${name}
    Checksum on
  }
`;
  const { lan, wan, sync, sync2 } = nodeAddresses;
  const ignored = [...lan, ...wan, ...sync, ...sync2, ...Object.values(virtualAddress)];
  return `Sync {
  Mode ${mode} {
    ${mode === 'ALARM' ? '' : `DisableExternalCache ${onOff(settings.disableExternalCache)}`}
    PurgeTimeout ${purgeSeconds}
    ${mode === 'ALARM' ? 'RefreshTime 5\n    CacheTimeout 20' : ''}
    ${mode === 'NOTRACK' ? `DisableInternalCache ${onOff(settings.disableInternalCache)}` : ''}
  }
${link('sync', true)}${syncLinks === 2 ? link('sync2', false) : ''}}
General {
  HashSize 1024
  HashLimit ${hashLimit}
  LockFile /run/keepstate.lock
  NetlinkBufferSize ${bufferBytes}
  NetlinkBufferSizeMaxGrowth ${bufferBytes * 4}
  NetlinkEventsReliable ${onOff(settings.reliableEvents)}
  Filter From Userspace {
    Protocol Accept {
      TCP
      UDP
      ICMP
    }
    Address Ignore {
      ${ignored.map((address) => `IPv4_address ${address}`).join('\n      ')}
    }
  }
}
`;
}
