/**
 * Who has a port that cannot be bound: its inode and user from the kernel's table of sockets
 * (proc(5)), its process from the descriptors that can be read. Looked up only after a refusal: it
 * walks /proc.
 *
 *     sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode ...
 *    123: 0100007F:0EC4 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 48231 ...
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { IpFamily } from '../../base/ipAddress.js';

export interface PortOwner {
  readonly userId: number;
  /** undefined where no process that can be looked into has the socket. */
  readonly process: { readonly pid: number; readonly name: string } | undefined;
}

interface Row {
  readonly userId: number;
  readonly inode: string;
}

const listening = '0A';

/**
 * For a person: "nc (pid 99, uid 1000)"; undefined where nobody has the port in this network
 * namespace.
 */
export function portOwnerText(
  protocol: 'udp' | 'tcp',
  family: IpFamily,
  port: number,
): string | undefined {
  const owner = portOwner(protocol, family, port);
  if (owner === undefined) return undefined;
  const { userId, process } = owner;
  if (process === undefined) return `a process that cannot be looked into (uid ${userId})`;
  return `${process.name} (pid ${process.pid}, uid ${userId})`;
}

export function portOwner(
  protocol: 'udp' | 'tcp',
  family: IpFamily,
  port: number,
): PortOwner | undefined {
  // An IPv6 socket can have the port of both families.
  const tables = family === 4 ? [protocol, `${protocol}6`] : [`${protocol}6`];
  for (const table of tables) {
    // Namespaces belong to threads.
    const text = readText(`/proc/thread-self/net/${table}`);
    const row = rowOf(text, port, protocol === 'tcp');
    if (row !== undefined) return { userId: row.userId, process: processWith(row.inode) };
  }
  return undefined;
}

/** The first socket on `port`; on TCP one that listens. */
export function rowOf(text: string, port: number, listens: boolean): Row | undefined {
  for (const line of text.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const [, local = '', , state, , , , userId = '', , inode = ''] = columns;
    if (parseInt(local.split(':')[1] ?? '', 16) !== port) continue;
    if (listens && state !== listening) continue;
    return { userId: Number(userId), inode };
  }
  return undefined;
}

function processWith(inode: string): PortOwner['process'] {
  const wanted = `socket:[${inode}]`;
  for (const name of list('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const descriptors = `/proc/${name}/fd`;
    if (!list(descriptors).some((one) => linkOf(`${descriptors}/${one}`) === wanted)) continue;
    return { pid: Number(name), name: printable(readText(`/proc/${name}/comm`)) };
  }
  return undefined;
}

/** A process names itself. */
function printable(name: string): string {
  return name.trim().replaceAll(/[^\x20-\x7e]/g, '?') || 'a process';
}

/** Processes end while they are looked at, and others may not be looked into. */
function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
