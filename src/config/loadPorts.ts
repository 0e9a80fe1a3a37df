/**
 * What loading a configuration needs from the world: files, and facts about the machine. A file can
 * be checked on another machine: without `machine`, nothing is asked and nothing warned about.
 */

import type { IpAddress, IpFamily } from '../base/ipAddress.js';

/** A file's text, or why it cannot be read (`reason` is for a person). */
export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly realPath: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface ConfigFiles {
  read(path: string): FileText;
  /** Names in a directory; empty where it cannot be read. */
  list(directory: string): readonly string[];
}

/** Files with keys in them; neither throws. */
export interface KeyFiles {
  /** A key file of root's that nobody else can read. */
  read(path: string): SecretFileText;
  /** Why a configuration with a key in it is not safe where it is. */
  whyNotSecret(path: string): string | undefined;
}

/** `reason` is for a person. */
type SecretFileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Each answer may be undefined: it cannot be known here. */
export interface MachineFacts {
  interfaceExists(name: string): boolean | undefined;
  /** What stands at `path`, or which program a bare name finds. */
  program(path: string): 'executable' | 'not-executable' | 'missing' | undefined;
  /** The script at `path`, where it is a text of moderate length. */
  scriptText?(path: string): string | undefined;
  userExists(name: string): boolean | undefined;
  /** Absent: key files are not looked at. */
  readonly keyFiles?: KeyFiles;
  /** A program that keeps this machine's clock runs. */
  hasTimeService?(): boolean | undefined;
  /**
   * Length of the prefix of the network that an interface of this machine is in: with the address
   * `local`, else of the widest one of that family.
   */
  networkPrefix?(interfaceName: string, family: IpFamily, local?: IpAddress): number | undefined;
  /** `key` as in /proc/sys with slashes: `net/netfilter/nf_conntrack_max`. */
  sysctl(key: string): number | undefined;
}

export interface LoadPorts {
  readonly files: ConfigFiles;
  readonly machine?: MachineFacts;
  /** Host name: `router_id`, `node_name` and the default of `configId`. */
  readonly hostName: string;
  /** What `@id` conditions compare with; default is the host name up to its first dot. */
  readonly configId?: string;
}
