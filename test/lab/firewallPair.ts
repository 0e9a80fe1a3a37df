/**
 * The usual cluster, ready made:
 *
 *     client ── lan ──┬── fw1 ──┬── wan ── server
 *     10.1.0.10       ├── fw2 ──┤          10.2.0.10
 *                     │   sync  │
 *     VIP 10.1.0.254  fw1 ─── fw2   VIP 10.2.0.254 (the source address after NAT)
 *
 * Each firewall forwards only what connection tracking knows or the client opens, drops what is
 * INVALID, does not pick up TCP in the middle (tcp_loose 0), and translates to the WAN VIP: a
 * takeover without the flows breaks every connection. Nobody owns the VIPs until a daemon, or
 * `takeVips`, adds them.
 */
import type { Bridge } from './bridge.js';
import type { Host } from './host.js';
import type { Lab } from './lab.js';
import { Relay } from './relay.js';

export const pairAddresses = {
  client: '10.1.0.10',
  server: '10.2.0.10',
  lanVip: '10.1.0.254',
  wanVip: '10.2.0.254',
  /** Of fw1 and fw2. */
  lan: ['10.1.0.1', '10.1.0.2'],
  wan: ['10.2.0.1', '10.2.0.2'],
  sync: ['10.3.0.1', '10.3.0.2'],
} as const;

export interface FirewallPair {
  readonly client: Host;
  readonly server: Host;
  /** Interfaces `lan`, `wan`, `sync`. */
  readonly firewalls: readonly [Host, Host];
  readonly lan: Bridge;
  readonly wan: Bridge;
  /** The sync link is a bridge too, so that it can be cut and made lossy. */
  readonly sync: Bridge;
  /** `toRight` is from fw1 to fw2. */
  readonly syncRelay: Relay | undefined;
  /**
   * What a VRRP daemon would do: both VIPs to firewall `index`, away from the other, and ARP for
   * them.
   */
  takeVips(index: 0 | 1): Promise<void>;
  /**
   * Power-off as far as the network sees it: every cable of the firewall is dead, without carrier
   * loss.
   */
  unplug(index: 0 | 1): Promise<void>;
  replug(index: 0 | 1): Promise<void>;
}

export interface FirewallPairOptions {
  /** More rules for the `forward` chain, before the final drop. */
  readonly forwardRules?: readonly string[];
  /** Puts a relay with this seed into fw1's end of the sync link: `pair.syncRelay`. */
  readonly syncRelaySeed?: number;
  /** Loads no ruleset and sets no tcp_loose: the caller does. */
  readonly bare?: boolean;
}

export async function firewallPair(
  lab: Lab,
  options: FirewallPairOptions = {},
): Promise<FirewallPair> {
  const [client, server, fw1, fw2] = (await lab.hosts('client', 'server', 'fw1', 'fw2')) as [
    Host,
    Host,
    Host,
    Host,
  ];
  const [lan, wan, sync] = [
    await lab.bridge('lan'),
    await lab.bridge('wan'),
    await lab.bridge('sync'),
  ];
  const firewalls = [fw1, fw2] as const;
  let syncRelay: Relay | undefined;
  await lan.attach(client, 'eth0', [`${pairAddresses.client}/24`]);
  await wan.attach(server, 'eth0', [`${pairAddresses.server}/24`]);
  for (const [i, firewall] of firewalls.entries()) {
    await lan.attach(firewall, 'lan', [`${pairAddresses.lan[i] ?? ''}/24`]);
    await wan.attach(firewall, 'wan', [`${pairAddresses.wan[i] ?? ''}/24`]);
    const syncAddresses = [`${pairAddresses.sync[i] ?? ''}/24`];
    if (i === 0 && options.syncRelaySeed !== undefined) {
      const end = { host: firewall, name: 'sync', addresses: syncAddresses };
      syncRelay = await Relay.join(lab, end, sync, options.syncRelaySeed, 'syncrelay');
      // Cutting and losing at fw1 then happens at the switch's side of the relay.
      sync.alias(firewall, 'sync', syncRelay.host, 'right');
    } else {
      await sync.attach(firewall, 'sync', syncAddresses);
    }
    await firewall.sysctl({ 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 });
    if (options.bare === true) continue;
    await firewall.nft(firewallRuleset(options.forwardRules));
    // The connection tracking sysctls of a namespace appear with its first conntrack rule.
    await firewall.sysctl({
      'net.netfilter.nf_conntrack_tcp_loose': 0,
      'net.netfilter.nf_conntrack_tcp_be_liberal': 0,
    });
  }
  await client.ip(`route add default via ${pairAddresses.lanVip}`);

  const eachCable = async (index: 0 | 1, percent: number): Promise<void> => {
    const firewall = firewalls[index];
    for (const [bridge, name] of [
      [lan, 'lan'],
      [wan, 'wan'],
      [sync, 'sync'],
    ] as const) {
      await bridge.lose(firewall, name, percent);
      await bridge.loseFrom(firewall, name, percent);
    }
  };
  return {
    client,
    server,
    firewalls,
    lan,
    wan,
    sync,
    syncRelay,
    takeVips: async (index) => {
      const vips = [
        ['lan', pairAddresses.lanVip],
        ['wan', pairAddresses.wanVip],
      ] as const;
      for (const [name, vip] of vips) {
        await firewalls[1 - index]?.tryExec(['ip', 'address', 'del', `${vip}/32`, 'dev', name]);
        await firewalls[index].ip(`address replace ${vip}/32 dev ${name}`);
        await firewalls[index].tryExec(['arping', '-q', '-U', '-c', '1', '-I', name, vip]);
      }
      // arping may be missing: what the neighbours remember is dropped too.
      await Promise.all([client, server].map((host) => host.ip('neigh flush all')));
    },
    unplug: (index) => eachCable(index, 100),
    replug: (index) => eachCable(index, 0),
  };
}

/**
 * Default drop, INVALID drop, the client side may open, everything to the WAN is translated to the
 * VIP.
 */
export function firewallRuleset(forwardRules: readonly string[] = []): string {
  return `flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy accept;
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state invalid counter drop
    ct state established,related accept
    iifname "lan" oifname "wan" ct state new accept
    ${forwardRules.join('\n    ')}
  }
}
table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 10.1.0.0/24 oifname "wan" snat to ${pairAddresses.wanVip}
  }
}
`;
}
