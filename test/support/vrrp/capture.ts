/**
 * What one sender said on the wire, as comparable lines: adverts by their fields, blocks of
 * gratuitous ARP.
 */
import type { Capture } from '../../lab/capture.js';

export interface SeenAdvert {
  readonly time: number;
  /** Everything that both daemons must say alike, times and identification aside. */
  readonly text: string;
  readonly identification: number;
  readonly priority: number;
}

export interface SeenGarp {
  readonly time: number;
  readonly address: string;
}

/** Gratuitous ARPs less than this apart are one block, in seconds. */
const blockGap = 0.3;

export async function advertsFrom(capture: Capture, mac: string): Promise<readonly SeenAdvert[]> {
  const rows = await capture.fields(
    [
      'frame.time_epoch',
      'ip.id',
      'vrrp.prio',
      ...['eth.dst', 'ip.src', 'ip.dst', 'ip.ttl', 'ip.dsfield', 'ip.flags', 'ip.len'],
      ...['vrrp.version', 'vrrp.virt_rtr_id', 'vrrp.addr_count', 'vrrp.auth_type'],
      ...['vrrp.adver_int', 'vrrp.checksum', 'vrrp.ip_addr', 'vrrp.auth_string'],
    ],
    `vrrp && eth.src == ${mac}`,
  );
  return rows.map(([time, identification, priority, ...fields]) => ({
    time: Number(time),
    identification: Number(identification),
    priority: Number(priority),
    text: [`prio ${priority ?? ''}`, ...fields].join(' '),
  }));
}

export async function garpsFrom(capture: Capture, mac: string): Promise<readonly SeenGarp[]> {
  const rows = await capture.fields(
    [
      ...['frame.time_epoch', 'arp.src.proto_ipv4', 'arp.dst.proto_ipv4', 'arp.opcode'],
      ...['arp.dst.hw_mac', 'eth.dst', 'frame.len'],
    ],
    `arp && eth.src == ${mac} && arp.src.proto_ipv4 == arp.dst.proto_ipv4`,
  );
  return rows.map(([time, address, , ...fields]) => ({
    time: Number(time),
    address: [address, ...fields].join(' '),
  }));
}

/** Start time and content of each block, in order. */
export function blocksOf(
  garps: readonly SeenGarp[],
): readonly { readonly start: number; readonly addresses: readonly string[] }[] {
  const blocks: { start: number; last: number; addresses: string[] }[] = [];
  for (const { time, address } of garps) {
    const block = blocks.at(-1);
    if (block === undefined || time - block.last > blockGap) {
      blocks.push({ start: time, last: time, addresses: [address] });
    } else {
      block.last = time;
      block.addresses.push(address);
    }
  }
  return blocks;
}

/** Equal neighbours become one run. */
export function runsOf(
  adverts: readonly SeenAdvert[],
): readonly { readonly text: string; readonly count: number }[] {
  const runs: { text: string; count: number }[] = [];
  for (const { text } of adverts) {
    const run = runs.at(-1);
    if (run?.text === text) run.count += 1;
    else runs.push({ text, count: 1 });
  }
  return runs;
}
