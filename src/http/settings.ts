/** The `http` block: where the node shows itself, and to whom. Plain data: it crosses a thread. */
import type { IpAddress } from '../base/ipAddress.js';

/** A network whose members are answered. */
export interface AllowedNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export interface HttpSettings {
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /** A UNIX socket of mode 0600, for a proxy on this machine. */
  readonly unixPath?: string;
  /** Empty: the networks of the machine itself (127.0.0.0/8 and ::1). */
  readonly allow: readonly AllowedNetwork[];
}
