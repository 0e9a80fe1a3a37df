/**
 * Three ways in which keepalived and conntrackd are deployed, written for the laboratory: unicast
 * with an accepting ruleset, multicast with default drop and MASQUERADE, and a virtual router with
 * one instance and a tracked script.
 */
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';

export interface Deployment {
  readonly name: string;
  readonly preempts: boolean;
  /** Text for fw1 (0) or fw2; @DIRECTORY@ is the host's scratch directory. */
  readonly config: (index: 0 | 1) => string;
  /** Ruleset, sysctls and addresses of one firewall, before the daemons start. */
  readonly prepare: (host: Host, index: 0 | 1) => Promise<void>;
}

const { lan, wan, sync, lanVip, wanVip } = pairAddresses;

const places = `  state_directory @DIRECTORY@/state
  control_socket @DIRECTORY@/run/control.sock`;

const scripts = `  notify_master "/etc/conntrackd/primary-backup.sh primary"
  notify_backup "/etc/conntrackd/primary-backup.sh backup"
  notify_fault "/etc/conntrackd/primary-backup.sh fault"`;

function general(extra: string, accepted: string, ignored: readonly string[]): string {
  return `General {
  Nice -20
  HashSize 32768
  HashLimit 131072
  LockFile @DIRECTORY@/conntrack.lock
  UNIX {
    Path @DIRECTORY@/conntrackd.ctl
    Backlog 20
  }
  NetlinkBufferSize 2097152
  NetlinkBufferSizeMaxGrowth 8388608
  ${extra}
  Filter From Userspace {
    Protocol Accept {
      ${accepted}
    }
    Address Ignore {
      ${ignored.map((address) => `IPv4_address ${address}`).join('\n      ')}
    }
  }
}
`;
}

const snat = `table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 10.1.0.0/24 oifname "wan" snat to ${wanVip}
  }
}
`;

async function load(host: Host, ruleset: string): Promise<void> {
  await host.nft(`flush ruleset\n${ruleset}`);
}

const unicast: Deployment = {
  name: 'two firewalls, unicast VRRP and UDP, ACCEPT with SNAT',
  // state MASTER takes nopreempt away, as in keepalived; the priorities are equal, so nobody
  // preempts.
  preempts: false,
  prepare: (host) =>
    load(
      host,
      `table inet filter {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state related accept
    iifname "wan" ct state established accept
    iifname "lan" tcp flags & (fin | syn | rst | ack) == syn ct state new accept
    iifname "lan" meta l4proto tcp ct state established accept
    ct state invalid counter
  }
}
${snat}`,
    ),
  config: (index) => {
    const instance = (
      name: string,
      side: 'lan' | 'wan',
      vrid: number,
      vip: string,
    ): string => `vrrp_instance ${name} {
  state MASTER
  interface ${side}
  virtual_router_id ${vrid}
  priority 50
  advert_int 1
  unicast_src_ip ${pairAddresses[side][index]}
  unicast_peer {
    ${pairAddresses[side][1 - index] ?? ''}
  }
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  virtual_ipaddress {
    ${vip}/24 dev ${side}
  }
  nopreempt
  garp_master_delay 1
}`;
    return `global_defs {
${places}
}
vrrp_sync_group G1 {
  group {
    EXT
    INT
  }
${scripts}
}
${instance('INT', 'lan', 11, lanVip)}
${instance('EXT', 'wan', 22, wanVip)}
Sync {
  Mode FTFW {
    DisableExternalCache Off
    CommitTimeout 180
    PurgeTimeout 5
  }
  UDP {
    IPv4_address ${sync[index]}
    IPv4_Destination_Address ${sync[1 - index] ?? ''}
    Port 3780
    Interface sync
    SndSocketBuffer 1249280
    RcvSocketBuffer 1249280
    Checksum on
  }
}
${general(
  'NetlinkOverrunResync 5\n  NetlinkEventsReliable on\n  PollSecs 5\n  EventIterationLimit 200',
  'TCP\n      UDP\n      ICMP',
  ['127.0.0.1', ...lan, lanVip, ...wan, wanVip],
)}`;
  },
};

const multicast: Deployment = {
  name: 'two routers, multicast VRRP and sync, DROP with MASQUERADE',
  preempts: true,
  prepare: async (host, index) => {
    // MASQUERADE takes the address that fits the way out: with this, it is the one that moves.
    await host.ip(
      `address add 192.168.77.${index + 1}/24 dev wan`,
      `address del ${wan[index]}/24 dev wan`,
    );
    await load(
      host,
      `table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    ct state established,related accept
    ip daddr 224.0.0.0/8 ip protocol vrrp accept
    ip daddr 225.0.0.50 accept
    iifname "sync" accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    ip saddr 10.1.0.0/24 iifname "lan" oifname "wan" ct state new accept
  }
  chain output {
    type filter hook output priority 0; policy drop;
    oif "lo" accept
    ip daddr 224.0.0.0/8 ip protocol vrrp accept
    ip daddr 225.0.0.50 accept
    oifname "wan" ip protocol icmp accept
    oifname "sync" accept
  }
}
table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "wan" masquerade
  }
}
`,
    );
  },
  config: (index) => {
    const instance = (
      name: string,
      side: 'lan' | 'wan',
      vrid: number,
      vip: string,
      broadcast: string,
    ): string => `vrrp_instance ${name} {
  state ${index === 0 ? 'MASTER' : 'BACKUP'}
  interface ${side}
  virtual_router_id ${vrid}
  priority ${index === 0 ? 100 : 50}
  virtual_ipaddress {
    ${vip}/24 brd ${broadcast} dev ${side}
  }
}`;
    return `global_defs {
${places}
}
vrrp_sync_group router-cluster {
  group {
    router-cluster-wan
    router-cluster-lan
  }
${scripts}
}
${instance('router-cluster-wan', 'wan', 10, wanVip, '10.2.0.255')}
${instance('router-cluster-lan', 'lan', 11, lanVip, '10.1.0.255')}
Sync {
  Mode FTFW {
  }
  Multicast {
    IPv4_address 225.0.0.50
    Group 3780
    IPv4_interface ${sync[index]}
    Interface sync
    SndSocketBuffer 1249280
    RcvSocketBuffer 1249280
    Checksum on
  }
}
${general('', 'TCP\n      UDP\n      ICMP', ['127.0.0.1', ...sync, ...lan, lanVip, wanVip])}`;
  },
};

const virtualRouter: Deployment = {
  name: "a cloud's virtual router, one instance, tracked script, sync on the inside network",
  preempts: false,
  prepare: async (host) => {
    await load(
      host,
      `table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "wan" ct state established,related accept
    iifname "lan" ct state new accept
    iifname "lan" ct state established accept
    ct state invalid counter
  }
}
${snat}`,
    );
    const heartbeat = host.file('heartbeat.sh', '#!/bin/sh\nexit 0\n');
    const notify = host.file('master.sh', `#!/bin/sh\necho "$@" >> ${host.directory}/told\n`);
    await host.exec(['chmod', '0755', heartbeat, notify]);
  },
  config: (index) => `global_defs {
  router_id r-${17 + index}-VM
${places}
}
vrrp_script heartbeat {
  script "@DIRECTORY@/heartbeat.sh"
  interval 5
}
vrrp_instance inside_network {
  state BACKUP
  interface lan
  virtual_router_id 51
  nopreempt
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass 9YasrrhZ
  }
  virtual_ipaddress {
    ${lanVip}/24 brd 10.1.0.255 dev lan
    ${wanVip}/24 dev wan
  }
  track_script {
    heartbeat
  }
  notify_backup "@DIRECTORY@/master.sh --backup"
  notify_master "@DIRECTORY@/master.sh --master"
  notify_fault "@DIRECTORY@/master.sh --fault"
}
Sync {
  Mode FTFW {
  }
  Multicast {
    IPv4_address 225.0.0.50
    Group 3780
    IPv4_interface ${lan[index]}
    Interface lan
    SndSocketBuffer 1249280
    RcvSocketBuffer 1249280
    Checksum on
  }
}
${general('', 'TCP\n      SCTP\n      DCCP', ['127.0.0.1', ...lan, ...wan])}`,
};

export const deployments: readonly Deployment[] = [unicast, multicast, virtualRouter];
