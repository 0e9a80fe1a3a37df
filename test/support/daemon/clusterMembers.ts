/**
 * Configurations for the members of a cluster: the two daemons that keepstate replaces, beside its
 * own.
 */
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Cluster, clusterConfig } from './cluster.js';
import { IncumbentNode, KeepstateClusterNode, type IncumbentConfig } from './clusterNode.js';
import { conntrackdConfig } from '../../lab/conntrackd.js';

export function incumbentConfig(index: 0 | 1): IncumbentConfig {
  const { lan, wan, sync, lanVip, wanVip } = pairAddresses;
  const other = 1 - index;
  const instance = (
    name: string,
    side: 'lan' | 'wan',
    vrid: number,
    vip: string,
  ): string => `vrrp_instance ${name} {
  state BACKUP
  interface ${side}
  virtual_router_id ${vrid}
  priority ${index === 0 ? 150 : 100}
  advert_int 1
  unicast_src_ip ${pairAddresses[side][index]}
  unicast_peer {
    ${pairAddresses[side][other] ?? ''}
  }
  virtual_ipaddress {
    ${vip}/24 dev ${side}
  }
}`;
  return {
    instance: 'LAN',
    keepalived: `global_defs {
  router_id fw${index + 1}
  script_user root
}
vrrp_sync_group G1 {
  group {
    LAN
    WAN
  }
  notify_master "@SCRIPT@ primary"
  notify_backup "@SCRIPT@ backup"
  notify_fault "@SCRIPT@ fault"
}
${instance('LAN', 'lan', 51, lanVip)}
${instance('WAN', 'wan', 52, wanVip)}
`,
    conntrackd: conntrackdConfig(
      {
        mode: 'FTFW',
        link: {
          kind: 'udp',
          local: sync[index],
          destination: sync[other] ?? '',
          interfaceName: 'sync',
        },
        modeLines: ['PurgeTimeout 5'],
        ignoredAddresses: [...lan, ...wan, ...sync, lanVip, wanVip],
      },
      '@DIRECTORY@',
    ),
  };
}

export function incumbent(host: Host, index: 0 | 1): IncumbentNode {
  return new IncumbentNode(host, incumbentConfig(index));
}

export function keepstate(host: Host, index: 0 | 1): KeepstateClusterNode {
  return new KeepstateClusterNode(host, clusterConfig(index));
}

/** The pair that is compared with. */
export function incumbentCluster(): Promise<Cluster<IncumbentNode>> {
  return Cluster.open([incumbent, incumbent]);
}
