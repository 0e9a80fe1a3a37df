/**
 * One raw socket per address family, interface and multicast group or unicast source; all instances
 * with that tuple share it and are told apart by VRID. A socket belongs to a link by its index, so
 * one whose link was deleted and created again is opened anew.
 */
import { formatIp, ipEquals, type IpAddress } from '../../base/ipAddress.js';
import type {
  NetworkWatch,
  VrrpDatagram,
  VrrpSocket,
  VrrpSocketFactory,
  VrrpSocketSpec,
} from '../../net/ports.js';
import type { InstanceSettings } from '../settings.js';

/**
 * A flood of 50,000 adverts a second fills the kernel's default in 5 ms, and the real ones among
 * them are lost; this lasts for 25 ms.
 */
const defaultReceiveBufferBytes = 1 << 20;

/** `users` by instance name. `refused`: the kernel's words. */
interface Entry {
  readonly users: Map<string, InstanceSettings>;
  readonly linkIndex: number | undefined;
  readonly socket: VrrpSocket | undefined;
  readonly refused: string | undefined;
}

export interface SocketPoolPorts {
  readonly sockets: VrrpSocketFactory;
  readonly network: NetworkWatch;
}

/** `instance`: for which the datagram is; undefined: for none of ours. */
export type SocketListener = (
  instance: InstanceSettings | undefined,
  datagram: VrrpDatagram,
  interfaceName: string,
) => void;

export class SocketPool {
  readonly #ports: SocketPoolPorts;
  readonly #onDatagram: SocketListener;
  readonly #entries = new Map<string, Entry>();
  readonly #keyOfInstance = new Map<string, string>();

  constructor(ports: SocketPoolPorts, onDatagram: SocketListener) {
    this.#ports = ports;
    this.#onDatagram = onDatagram;
  }

  /**
   * Makes `instance` a user of the socket that its settings and source ask for, and leaves the one
   * it used before. Gives why there is no socket, or undefined. A refused socket is tried again by
   * each call.
   */
  assign(instance: InstanceSettings, source: IpAddress | undefined): string | undefined {
    const spec = socketSpec(instance, source);
    const link = this.#ports.network.linkByName(instance.interfaceName);
    if (spec === undefined || link === undefined) {
      this.release(instance.name);
      return link === undefined ? `interface ${instance.interfaceName} does not exist` : undefined;
    }
    const key = socketKey(spec);
    if (this.#keyOfInstance.get(instance.name) !== key) this.release(instance.name);
    this.#keyOfInstance.set(instance.name, key);
    const known = this.#entries.get(key);
    if (known?.socket !== undefined && known.linkIndex === link.index) {
      known.users.set(instance.name, instance);
      return undefined;
    }
    known?.socket?.close();
    const entry = this.#open(
      key,
      spec,
      link.index,
      known?.users ?? new Map<string, InstanceSettings>(),
    );
    entry.users.set(instance.name, instance);
    return entry.refused;
  }

  release(instance: string): void {
    const key = this.#keyOfInstance.get(instance);
    this.#keyOfInstance.delete(instance);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || entry === undefined) return;
    entry.users.delete(instance);
    if (entry.users.size > 0) return;
    entry.socket?.close();
    this.#entries.delete(key);
  }

  socketOf(instance: string): VrrpSocket | undefined {
    const key = this.#keyOfInstance.get(instance);
    return key === undefined ? undefined : this.#entries.get(key)?.socket;
  }

  close(): void {
    for (const entry of this.#entries.values()) entry.socket?.close();
    this.#entries.clear();
    this.#keyOfInstance.clear();
  }

  #open(key: string, spec: VrrpSocketSpec, linkIndex: number, users: Entry['users']): Entry {
    const opened = this.#ports.sockets.open(spec);
    let entry: Entry;
    if ('socket' in opened) {
      opened.socket.onDatagram((datagram) => this.#deliver(users, spec, datagram));
      entry = { users, linkIndex, socket: opened.socket, refused: undefined };
    } else {
      const { refused } = opened;
      const because = refused.kind === 'refused' ? refused.message : refused.kind;
      entry = { users, linkIndex, socket: undefined, refused: `VRRP socket: ${because}` };
    }
    this.#entries.set(key, entry);
    return entry;
  }

  /** Hundreds of instances may share a socket; the walk is a comparison of one byte each. */
  #deliver(users: Entry['users'], spec: VrrpSocketSpec, datagram: VrrpDatagram): void {
    const virtualRouterId = datagram.payload[1];
    const candidates: InstanceSettings[] = [];
    for (const user of users.values()) {
      if (user.virtualRouterId === virtualRouterId) candidates.push(user);
    }
    this.#onDatagram(chooseInstance(candidates, datagram), datagram, spec.interfaceName);
  }
}

/**
 * `candidates`: the instances on the socket that have the VRID of the datagram, in configured
 * order. More than one (unicast, disjoint peers): the one whose `unicast_peer` lists the source
 * (keepalived 2.2.7). undefined: for none of ours.
 */
export function chooseInstance(
  candidates: readonly InstanceSettings[],
  datagram: VrrpDatagram,
): InstanceSettings | undefined {
  if (candidates.length <= 1) return candidates[0];
  return candidates.find((candidate) =>
    candidate.unicastPeers.some((peer) => ipEquals(peer.address, datagram.source)),
  );
}

/** undefined while a unicast instance has no source. */
export function socketSpec(
  instance: InstanceSettings,
  source: IpAddress | undefined,
): VrrpSocketSpec | undefined {
  const base = {
    family: instance.family,
    interfaceName: instance.interfaceName,
    receiveBufferBytes: instance.receiveBufferBytes ?? defaultReceiveBufferBytes,
  };
  if (instance.unicastPeers.length === 0) {
    return { ...base, multicastGroup: instance.multicastGroup };
  }
  return source === undefined ? undefined : { ...base, localAddress: source };
}

function socketKey(spec: VrrpSocketSpec): string {
  const address = spec.multicastGroup ?? spec.localAddress;
  const where = address === undefined ? '' : formatIp(address);
  return `${spec.interfaceName} ${where}`;
}
