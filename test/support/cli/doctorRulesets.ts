/**
 * Rulesets and what they do to a VRRP packet (IP protocol 112) that comes in on `lan` from 10.1.0.2
 * to 224.0.0.18. The same rows are judged from captures (unit) and beside the real kernel with a
 * real packet (namespace).
 */

export interface DoctorRuleset {
  readonly name: string;
  /** For `nft -f`. */
  readonly text: string;
  readonly verdict: 'passes' | 'dropped' | 'unclear';
  /** Where the verdict is unclear: words of the rule that is named. */
  readonly because?: string;
}

type Row = readonly [verdict: DoctorRuleset['verdict'], rules: string, because?: string];

/** Rules of an input chain with policy drop. */
const inputRows: readonly Row[] = [
  ['dropped', ''],
  ['passes', 'meta l4proto vrrp accept'],
  ['passes', 'ip protocol 112 accept'],
  ['passes', 'meta l4proto 100-120 accept'],
  ['passes', 'meta l4proto != { tcp, udp } accept'],
  // What can never be protocol 112.
  ['dropped', 'icmp type echo-request accept'],
  ['dropped', 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'],
  ['dropped', 'igmp type membership-query accept'],
  ['dropped', 'sctp dport 3868 accept'],
  ['dropped', 'dccp dport 5 accept'],
  ['dropped', 'esp spi 100 accept'],
  ['dropped', 'ah spi 100 accept'],
  ['dropped', 'comp nexthdr 4 accept'],
  ['dropped', 'udplite dport 5 accept'],
  ['dropped', 'tcp dport 22 accept\n udp dport 53 accept'],
  ['dropped', 'tcp flags & (fin | syn) == syn accept'],
  ['dropped', 'tcp option maxseg exists accept'],
  ['dropped', 'icmp type echo-request limit rate 4/second accept'],
  ['dropped', 'ip6 saddr fe80::/10 accept'],
  ['dropped', 'meta nfproto ipv6 accept'],
  ['dropped', 'ip6 nexthdr vrrp accept'],
  ['dropped', 'ip option rr exists accept'],
  ['dropped', 'meta l4proto { tcp, udp, icmp, igmp, esp, ah, sctp } accept'],
  // Addresses: the peer is on the link's network.
  ['passes', 'ip saddr 10.1.0.0/24 accept'],
  ['passes', 'ip saddr { 10.0.0.0/8, 192.168.0.0/16 } accept'],
  ['dropped', 'ip saddr 192.168.7.0/24 accept'],
  ['dropped', 'ip saddr 192.168.7.5 accept'],
  ['unclear', 'ip saddr 10.1.0.2 accept', 'ip saddr 10.1.0.2 accept'],
  ['unclear', 'ip saddr 10.1.0.7 accept', 'ip saddr 10.1.0.7 accept'],
  ['unclear', 'ip saddr 10.1.0.2-10.1.0.9 accept', '10.1.0.2-10.1.0.9'],
  ['passes', 'ip daddr 224.0.0.0/4 accept'],
  ['passes', 'ip daddr 224.0.0.18 accept'],
  ['dropped', 'ip daddr 224.0.0.251 accept'],
  ['dropped', 'ip daddr != 224.0.0.0/24 accept'],
  // Interfaces.
  ['passes', 'iifname "lan" accept'],
  ['passes', 'iifname "la*" accept'],
  ['dropped', 'iifname "wan" accept'],
  ['dropped', 'iif lo accept'],
  ['passes', 'iifname { "wan", "lan" } accept'],
  ['dropped', 'iifname != "lan" accept'],
  ['passes', 'iifname . meta l4proto { "lan" . vrrp } accept'],
  ['dropped', 'iifname . meta l4proto { "wan" . vrrp, "lan" . esp } accept'],
  ['dropped', 'oifname "lan" accept'],
  // Connection tracking.
  ['dropped', 'ct state established,related accept'],
  ['passes', 'ct state new accept'],
  ['passes', 'ct state != invalid accept'],
  ['dropped', 'ct state vmap { established : accept, invalid : drop }'],
  ['passes', 'ct state vmap { established : accept, new : accept }'],
  ['dropped', 'ct direction reply accept'],
  ['unclear', 'ct status dnat accept', 'ct status dnat accept'],
  // Counted, marked, chosen by chance or by userspace.
  ['unclear', 'limit rate 100/second accept', 'limit rate 100/second'],
  [
    'unclear',
    'meta l4proto vrrp limit rate over 1/day burst 1 packets drop\n accept',
    'limit rate over',
  ],
  ['dropped', 'meta mark 0x5 accept'],
  ['passes', 'meta mark != 0x5 accept'],
  ['dropped', 'meta mark & 0xff == 0x10 accept'],
  [
    'unclear',
    'meta l4proto vrrp meta mark set 0x5\n meta mark 0x5 accept',
    'meta mark 0x00000005 accept',
  ],
  ['dropped', 'ct mark 4 accept'],
  ['unclear', 'numgen random mod 2 == 0 accept', 'numgen random mod 2 0 accept'],
  ['unclear', 'quota over 1 bytes drop\n accept', 'quota over 1 bytes drop'],
  ['unclear', 'ip dscp cs6 accept', 'ip dscp cs6 accept'],
  ['unclear', 'ether saddr 00:00:5e:00:01:33 accept', 'ether saddr'],
  ['unclear', 'th dport 3780 accept', 'th dport 3780 accept'],
  ['unclear', 'meta length 40 accept', 'meta length 40 accept'],
  // Facts of a multicast packet from the link.
  ['passes', 'meta pkttype multicast accept'],
  ['dropped', 'meta pkttype broadcast accept'],
  ['passes', 'fib daddr type multicast accept'],
  ['dropped', 'fib daddr type local accept'],
  ['passes', 'fib saddr . iif oif missing drop\n accept'],
  ['passes', 'ip ttl 255 accept'],
  ['dropped', 'ip ttl < 255 accept'],
  ['passes', 'ip frag-off & 0x1fff != 0 drop\n accept'],
  ['passes', 'ether type ip accept'],
  // Ends, and what does not end.
  ['dropped', 'meta l4proto vrrp reject\n accept'],
  ['dropped', 'meta l4proto vrrp counter log prefix "x"'],
  ['passes', 'meta l4proto vmap { tcp : drop, 50-60 : drop, * : accept }'],
  ['dropped', 'meta l4proto vmap { 100-120 : drop, * : accept }'],
];

/** Whole rulesets. */
const wholeRows: readonly (readonly [name: string, ...Row])[] = [
  [
    'a jump that comes back',
    'dropped',
    `table inet t {
  chain other { tcp dport 22 accept
    return
  }
  chain input { type filter hook input priority 0; policy drop;
    jump other
  }
}`,
  ],
  [
    'a jump for some, and a goto that does not come back',
    'dropped',
    `table inet t {
  chain icmp4 { accept
  }
  chain last { udp dport 53 accept
  }
  chain input { type filter hook input priority 0; policy drop;
    ip protocol icmp jump icmp4
    goto last
    accept
  }
}`,
  ],
  [
    'a doubt two jumps deep',
    'unclear',
    `table inet t {
  chain deep { ip saddr 10.1.0.2 accept
  }
  chain other { jump deep
  }
  chain input { type filter hook input priority 0; policy drop;
    iifname "lan" jump other
  }
}`,
    'ip saddr 10.1.0.2 accept',
  ],
  [
    'a named set with ranges and timeouts',
    'dropped',
    `table inet t {
  set banned { type ipv4_addr; flags interval, timeout; elements = { 10.1.0.0-10.1.0.255 timeout 1h, 10.9.0.0/16 } }
  chain input { type filter hook input priority 0; policy accept;
    ip saddr @banned drop
  }
}`,
  ],
  [
    'a named set that no neighbour is in',
    'passes',
    `table inet t {
  set banned { type ipv4_addr; flags interval; elements = { 10.9.0.0/16, 192.0.2.1 } }
  chain input { type filter hook input priority 0; policy accept;
    ip saddr @banned drop
  }
}`,
  ],
  [
    'a named verdict map',
    'passes',
    `table inet t {
  map protocols { type inet_proto : verdict; elements = { tcp : drop, 112 : accept } }
  chain input { type filter hook input priority 0; policy drop;
    meta l4proto vmap @protocols
  }
}`,
  ],
  [
    'a named verdict map without the protocol',
    'dropped',
    `table inet t {
  map protocols { type inet_proto : verdict; elements = { tcp : accept, udp : accept } }
  chain input { type filter hook input priority 0; policy drop;
    meta l4proto vmap @protocols
  }
}`,
  ],
  [
    'a second chain of the hook that drops what the first accepts',
    'dropped',
    `table inet early { chain input { type filter hook input priority -10; policy accept;
    meta l4proto vrrp accept
  }
}
table ip late { chain input { type filter hook input priority 10; policy drop;
    tcp dport 22 accept
  }
}`,
  ],
  [
    'a chain of the other family',
    'passes',
    `table ip6 t { chain input { type filter hook input priority 0; policy drop;
  }
}`,
  ],
  [
    'a drop in prerouting',
    'dropped',
    `table ip raw { chain prerouting { type filter hook prerouting priority raw; policy accept;
    ip protocol 112 drop
  }
}`,
  ],
  [
    'what no tracking has seen yet is INVALID',
    'dropped',
    `table ip raw { chain prerouting { type filter hook prerouting priority raw; policy accept;
    ct state invalid drop
  }
}`,
  ],
  [
    'not tracked is not new',
    'dropped',
    `table ip raw { chain prerouting { type filter hook prerouting priority raw; policy accept;
    meta l4proto vrrp notrack
  }
}
table ip filter { chain input { type filter hook input priority 0; policy drop;
    ct state new accept
  }
}`,
  ],
  [
    'not tracked, and so accepted',
    'passes',
    `table ip raw { chain prerouting { type filter hook prerouting priority raw; policy accept;
    meta l4proto vrrp notrack
  }
}
table ip filter { chain input { type filter hook input priority 0; policy drop;
    ct state untracked accept
  }
}`,
  ],
  [
    'a netdev chain of the device',
    'dropped',
    `table netdev t { chain ingress { type filter hook ingress device "lan" priority 0; policy drop;
    meta l4proto { tcp, udp, icmp } accept
  }
}`,
  ],
  [
    'a netdev chain of another device',
    'passes',
    `table netdev t { chain ingress { type filter hook ingress device "wan" priority 0; policy drop;
  }
}`,
  ],
  [
    'a chain that rewrites the destination of all',
    'unclear',
    `table ip nat { chain prerouting { type nat hook prerouting priority dstnat; policy accept;
    iifname "lan" dnat to 192.0.2.9
  }
}`,
    'dnat to 192.0.2.9',
  ],
  [
    'a usual server',
    'dropped',
    `table inet filter { chain input { type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
    ct state invalid drop
    ip protocol icmp icmp type { echo-request, destination-unreachable, time-exceeded } limit rate 10/second accept
    ip6 nexthdr icmpv6 icmpv6 type { nd-neighbor-solicit, nd-router-advert, echo-request } accept
    igmp type membership-query accept
    ip saddr 192.0.2.0/24 tcp dport 22 accept
    udp sport 67 udp dport 68 accept
    meta pkttype { host, broadcast } accept
    limit rate 5/minute log prefix "dropped: "
    counter reject with icmpx admin-prohibited
  }
}`,
  ],
];

/** All rows; names are unique. */
export const doctorRulesets: readonly DoctorRuleset[] = [
  ...inputRows.map(([verdict, rules, because]): DoctorRuleset => ({
    name: rules === '' ? 'policy drop alone' : rules.replaceAll(/\s+/g, ' '),
    text: `table inet filter {
  chain input { type filter hook input priority 0; policy drop;
    ${rules}
  }
}`,
    verdict,
    ...(because === undefined ? {} : { because }),
  })),
  ...wholeRows.map(([name, verdict, text, because]): DoctorRuleset => ({
    name,
    text,
    verdict,
    ...(because === undefined ? {} : { because }),
  })),
];
