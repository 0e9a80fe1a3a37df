/**
 * Sockets of this network namespace that only a router or a replicator has, from the kernel's
 * tables (proc_pid_net(5)). This process's own are left out.
 *
 *     raw:     sl local:PROTOCOL remote st tx:rx tr:tm retrnsmt uid timeout inode ...
 *     netlink: sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { readRegularFile } from '../../base/regularFile.js';

export interface VrrpSocket {
  readonly uid: number;
  readonly inode: string;
}

/** Raw sockets of protocol 112 (0x70). */
export function vrrpSockets(proc = '/proc'): readonly VrrpSocket[] {
  const rows = ['raw', 'raw6'].flatMap((file) => tableOf(`${proc}/self/net/${file}`));
  const found = rows
    .filter((fields) => fields[1]?.endsWith(':0070') === true)
    .map((fields): VrrpSocket => ({ uid: Number(fields[7]), inode: fields[9] ?? '' }));
  if (found.length === 0) return [];
  const own = socketsOf('self', proc);
  return found.filter(({ inode }) => !own.has(inode));
}

/** A netlink socket of NETLINK_NETFILTER (12) in some group. */
export function hearsNetfilter(pid: number, proc = '/proc'): boolean {
  return tableOf(`${proc}/self/net/netlink`).some(([, protocol, port, groups = '0']) => {
    return Number(protocol) === 12 && Number(port) === pid && Number.parseInt(groups, 16) !== 0;
  });
}

/** A netlink socket of any kind: the first one of a process has its id as port. */
export function hasNetlinkSocket(pid: number, proc = '/proc'): boolean {
  return tableOf(`${proc}/self/net/netlink`).some(([, , port]) => Number(port) === pid);
}

/** Inodes of a process's sockets; empty where it may not be looked into. */
export function socketsOf(process: number | 'self', proc = '/proc'): ReadonlySet<string> {
  const folder = `${proc}/${process}/fd`;
  const links = attempt(() => readdirSync(folder))?.map((name) =>
    attempt(() => readlinkSync(`${folder}/${name}`)),
  );
  const inodes = links?.map((link) => /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1]) ?? [];
  return new Set(inodes.filter((inode) => inode !== undefined));
}

function tableOf(path: string): readonly (readonly string[])[] {
  const file = readRegularFile(path, { bytes: 4 * 1_048_576 });
  const text = file.kind === 'text' ? file.text : '';
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

/** Processes end, and close their files, while we look. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
