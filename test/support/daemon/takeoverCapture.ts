/**
 * What a capture on a firewall's interface shows of a takeover. Times are seconds since the epoch.
 */
import type { Capture } from '../../lab/capture.js';

export interface CapturedArp {
  /** Requests for the address by others. */
  readonly questions: readonly number[];
  /**
   * Answers for it, and announcements of it, by the firewall itself: those of the other one pass by
   * here too.
   */
  readonly claims: readonly number[];
}

export async function capturedArp(
  capture: Capture,
  mac: string,
  address: string,
): Promise<CapturedArp> {
  const rows = await capture.fields(
    ['frame.time_epoch', 'arp.src.proto_ipv4', 'eth.src'],
    `arp && (arp.src.proto_ipv4 == ${address} || arp.dst.proto_ipv4 == ${address})`,
  );
  const times = (isWanted: (source?: string, sender?: string) => boolean): number[] =>
    rows.filter(([, source, sender]) => isWanted(source, sender)).map(([time]) => Number(time));
  return {
    questions: times((source) => source !== address),
    claims: times((source, sender) => source === address && sender === mac),
  };
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
