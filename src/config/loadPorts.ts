/**
 * What loading a configuration needs from the world: files, and facts about the machine. A file can
 * be checked on another machine: without `machine`, nothing is asked and nothing warned about.
 */

/** A file's text, or why it cannot be read (`reason` is for a person). */
export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly realPath: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface ConfigFiles {
  read(path: string): FileText;
  /** Names in a directory; empty where it cannot be read. */
  list(directory: string): readonly string[];
}

/** Each answer may be undefined: it cannot be known here. */
export interface MachineFacts {
  interfaceExists(name: string): boolean | undefined;
  /** What stands at `path`, or which program a bare name finds. */
  program(path: string): 'executable' | 'not-executable' | 'missing' | undefined;
  /** The script at `path`, where it is a text of moderate length. */
  scriptText?(path: string): string | undefined;
  userExists(name: string): boolean | undefined;
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
