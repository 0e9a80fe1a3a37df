/** What a capture on a firewall's interface shows of a takeover. Times are seconds since the epoch. */
import type { Capture } from '../lab/capture.js';

export interface CapturedArp {
  /** Requests for the address by others. */
  readonly questions: readonly number[];
  /** Answers for it, and announcements of it. */
  readonly claims: readonly number[];
}

export async function capturedArp(capture: Capture, address: string): Promise<CapturedArp> {
  const rows = await capture.fields(
    ['frame.time_epoch', 'arp.src.proto_ipv4'],
    `arp && (arp.src.proto_ipv4 == ${address} || arp.dst.proto_ipv4 == ${address})`,
  );
  const times = (isClaim: boolean): number[] =>
    rows.filter(([, source]) => (source === address) === isClaim).map(([time]) => Number(time));
  return { questions: times(false), claims: times(true) };
}

/** IPv4 packets from or to one of `addresses`, other than ARP. */
export async function framesOfHosts(
  capture: Capture,
  addresses: readonly string[],
): Promise<readonly number[]> {
  const filter = addresses.map((address) => `ip.addr == ${address}`).join(' || ');
  return (await capture.fields(['frame.time_epoch'], filter)).map(([time]) => Number(time));
}

/** Gratuitous ARP for `address` sent by `mac`. */
export async function announcementsFrom(
  capture: Capture,
  mac: string,
  address: string,
): Promise<readonly number[]> {
  const rows = await capture.fields(
    ['frame.time_epoch'],
    `eth.src == ${mac} && arp.src.proto_ipv4 == ${address} && arp.dst.proto_ipv4 == ${address}`,
  );
  return rows.map(([time]) => Number(time));
}
