/** Flows of every protocol that the kernel tracks, as conntrack(8) makes them. */
import type { Host } from '../../lab/host.js';

/** 14 flows that both programs tell whole. `base` keeps two nodes apart: a number below 256. */
export async function createTellableFlows(host: Host, base: number): Promise<number> {
  const v4 = `-s 192.168.${base}.10 -d 198.51.100.7`;
  const v6 = `-s 2001:db8:${base}::1 -d 2001:db8:9::2`;
  const established = '--state ESTABLISHED -u SEEN_REPLY,ASSURED -t 3000';
  return create(host, [
    `tcp ${v4} --sport 40000 --dport 443 ${established}`,
    `tcp ${v4} --sport 40001 --dport 443 ${established} -m 77`,
    `tcp ${v4} --sport 40002 --dport 443 ${established} --src-nat 203.0.113.1:20100`,
    `tcp ${v4} --sport 40003 --dport 443 ${established} --dst-nat 203.0.113.80:8080`,
    `tcp ${v4} --sport 40004 --dport 443 --state SYN_SENT -t 100`,
    `udp ${v4} --sport 5000 --dport 53 -t 1200`,
    `icmp ${v4} --icmp-type 8 --icmp-code 0 --icmp-id 4660 -t 1200`,
    `sctp ${v4} --sport 41000 --dport 36412 --orig-vtag 5 --reply-vtag 6 ${established}`,
    `tcp ${v6} --sport 6000 --dport 80 ${established} -m 5`,
    `tcp ${v6} --sport 6002 --dport 80 ${established} --src-nat 2001:db8:2::99`,
    `udp ${v6} --sport 6001 --dport 53 -t 1200`,
    `icmpv6 ${v6} --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77 -t 1200`,
    `89 ${v4} -t 1200`,
    `tcp ${v4} --sport 40009 --dport 443 ${established} --zone 5`,
  ]);
}

/** Two flows whose ports and keys conntrackd 1.4.7 does not tell. */
export async function createUntellableFlows(host: Host, base: number): Promise<number> {
  const v4 = `-s 192.168.${base}.10 -d 198.51.100.7`;
  return create(host, [
    `udplite ${v4} --sport 42000 --dport 43000 -t 1200`,
    `gre ${v4} --srckey 1 --dstkey 2 -t 1200`,
  ]);
}

/** UDP flows to one server, told apart by `firstPort`. */
export async function createUdpFlows(
  host: Host,
  base: number,
  count: number,
  firstPort = 1,
): Promise<void> {
  const lines = Array.from(
    { length: count },
    (_, i) =>
      `conntrack -I -p udp -s 192.168.${base}.20 -d 198.51.100.9 ` +
      `--sport ${firstPort + i} --dport 53 -t 1200`,
  );
  await host.exec(['sh', '-e'], { input: `${lines.join('\n')}\n` });
}

async function create(host: Host, flows: readonly string[]): Promise<number> {
  const lines = flows.map((flow) => `conntrack -I -p ${flow}`);
  await host.exec(['sh', '-e'], { input: `${lines.join('\n')}\n` });
  return flows.length;
}
