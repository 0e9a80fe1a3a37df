/** What carries ICMP messages: a raw socket of one of two makes. */
import type { IpAddress, IpFamily } from '../../base/ipAddress.js';

export interface CarrierEvents {
  /**
   * What a raw socket gives: IPv4 with its header, IPv6 without. The bytes are valid during the
   * call. `source` is absent where it stands in the header.
   */
  datagram(bytes: Uint8Array, source: Uint8Array | undefined): void;
  /** Reading failed; it goes on where it can. */
  error(errno: number): void;
}

/** Each errno is positive; 0 is success. */
export interface Carrier {
  setOption(level: number, name: number, value: Uint8Array): number;
  /** Bytes written into `into`, or a negative errno. */
  getOption(level: number, name: number, into: Uint8Array): number;
  /** `failed` is called later where the kernel says so later. The bytes may be reused. */
  send(bytes: Uint8Array, destination: IpAddress, failed: (errno: number) => void): number;
  read(): void;
  stopReading(): void;
  close(): void;
}

/** errno, or the carrier; it reads nothing yet. */
export type OpenedCarrier = { readonly carrier: Carrier } | { readonly errno: number };

export interface CarrierMake {
  /** For people. */
  readonly name: string;
  open(family: IpFamily, events: CarrierEvents): OpenedCarrier;
}

/** IPPROTO_ICMP, IPPROTO_ICMPV6. */
export const icmpProtocols: Readonly<Record<IpFamily, number>> = { 4: 1, 6: 58 };
