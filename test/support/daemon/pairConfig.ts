/** Configurations of keepstate for the laboratory's firewall pair. */
import { pairAddresses } from '../../lab/firewallPair.js';

export interface PairConfigOptions {
  /** 0 is fw1. */
  readonly index: 0 | 1;
  readonly priority?: number;
  readonly advertSeconds?: number;
  /**
   * `one`: an instance on the LAN carries both VIPs. `group`: an instance per side in a sync group.
   */
  readonly instances?: 'one' | 'group';
  /** Lines in each instance. */
  readonly instanceLines?: readonly string[];
  readonly globalLines?: readonly string[];
  readonly modeLines?: readonly string[];
  readonly syncLines?: readonly string[];
  readonly mode?: 'FTFW' | 'NOTRACK' | 'ALARM';
  readonly generalLines?: readonly string[];
  /** Of the sync network; UDP unless it says otherwise. */
  readonly link?: 'UDP' | 'TCP' | 'Multicast';
  readonly withoutSync?: boolean;
}

/** One file in both dialects; @DIRECTORY@ stands for the host's scratch directory. */
export function pairConfig(options: PairConfigOptions): string {
  const { index, globalLines = [] } = options;
  const { lanVip, wanVip, lan, wan } = pairAddresses;
  const common = [
    'state BACKUP',
    `priority ${options.priority ?? (index === 0 ? 150 : 100)}`,
    `advert_int ${options.advertSeconds ?? 1}`,
    ...(options.instanceLines ?? []),
  ].join('\n  ');
  const instance = (
    name: string,
    side: 'lan' | 'wan',
    own: readonly string[],
    vrid: number,
    vips: readonly string[],
  ): string => `
vrrp_instance ${name} {
  interface ${side}
  virtual_router_id ${vrid}
  unicast_src_ip ${own[index] ?? ''}
  unicast_peer {
    ${own[1 - index] ?? ''}
  }
  ${common}
  virtual_ipaddress {
    ${vips.join('\n    ')}
  }
}`;
  const [lanEntry, wanEntry] = [`${lanVip}/24 dev lan`, `${wanVip}/24 dev wan`];
  const vrrp =
    options.instances === 'group'
      ? `vrrp_sync_group G1 {\n  group {\n    LAN\n    WAN\n  }\n}
${instance('LAN', 'lan', lan, 51, [lanEntry])}
${instance('WAN', 'wan', wan, 52, [wanEntry])}`
      : instance('GATEWAY', 'lan', lan, 51, [lanEntry, wanEntry]);
  const globals = `global_defs {
  router_id fw${index + 1}
  node_name fw${index + 1}
  state_directory @DIRECTORY@/state
  control_socket @DIRECTORY@/run/control.sock
  ${globalLines.join('\n  ')}
}`;
  return `${globals}\n${vrrp}\n${options.withoutSync === true ? '' : syncBlocks(options)}`;
}

function syncBlocks(options: PairConfigOptions): string {
  const { sync, lan, wan, lanVip, wanVip } = pairAddresses;
  const { mode = 'FTFW', modeLines = [], syncLines = [], generalLines = [] } = options;
  const ignored = [...sync, ...lan, ...wan, lanVip, wanVip, '127.0.0.1'];
  return `
Sync {
  Mode ${mode} {
    ${modeLines.join('\n    ')}
  }
  ${linkBlock(options)}
  ${syncLines.join('\n  ')}
}
General {
  HashSize 8192
  HashLimit 131072
  LockFile @DIRECTORY@/keepstate.lock
  UNIX {
    Path @DIRECTORY@/conntrackd.ctl
  }
  NetlinkBufferSize 2097152
  NetlinkBufferSizeMaxGrowth 8388608
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
  ${generalLines.join('\n  ')}
}
`;
}

/** 225.0.0.50 leaves with TTL 1, as all groups that a router may carry on. */
function linkBlock({ index, link = 'UDP' }: PairConfigOptions): string {
  const { sync } = pairAddresses;
  const places =
    link === 'Multicast'
      ? ['IPv4_address 225.0.0.50', 'Group 3780', `IPv4_interface ${sync[index]}`]
      : [
          `IPv4_address ${sync[index]}`,
          `IPv4_Destination_Address ${sync[1 - index] ?? ''}`,
          'Port 3780',
        ];
  return `${link} {
    ${[...places, 'Interface sync', 'Checksum on'].join('\n    ')}
  }`;
}
