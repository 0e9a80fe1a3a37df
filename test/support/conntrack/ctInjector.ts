/**
 * Fills or empties a conntrack table as fast as the kernel takes it: one prebuilt ctnetlink message per
 * flow, patched in place, 128 of them per send. Flow i (counted from `base`) is
 *
 *   tcp 10.X.Y.Z:P -> 198.51.100.20:443, with 10.X.Y.Z = 10.0.0.1 + floor(i / 50000), P = 10000 + i % 50000
 */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { ENOBUFS, errnoName } from '../../../src/base/errno.js';
import { requireDone } from '../../../src/net/socket/outcome.js';
import {
  NetlinkWalker,
  decodeNetlinkAnswer,
  netlinkFlag,
  netlinkType,
} from '../../../src/net/netlink/netlinkFraming.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import {
  AF_NETLINK,
  SOCK_RAW,
  netlinkPortId,
  netlinkSocketAddress,
} from '../../../src/net/socket/sockaddr.js';
import { NetlinkBuilder } from '../net/netlinkBuilder.js';

const netlinkNetfilter = 12;
const socketLevel = 1;
const netlinkLevel = 270;
const option = { sendBufferForce: 32, receiveBufferForce: 33, capAck: 10 } as const;
/** IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_DELETE. */
const messageNew = 0x100;
const messageDelete = 0x102;
const portsPerAddress = 50_000;
const firstPort = 10_000;
const firstAddress = 0x0a000001;

export interface InjectOptions {
  readonly count: number;
  /** Number of the first flow; default 0. */
  readonly base?: number;
  /** `delete` removes flows that were created with the same numbers; default `create`. */
  readonly action?: 'create' | 'delete';
  /** SNAT to this address and port 20000 + i % 40000: flows beyond 40,000 collide. */
  readonly sourceNat?: IpAddress;
  readonly protocol?: 'tcp' | 'udp';
  /** Flows per send; default 128. */
  readonly batch?: number;
  readonly timeoutSeconds?: number;
}

export interface Injected {
  readonly sent: number;
  /** Refused by the kernel, by errno name. `unknown` when the answers overran. */
  readonly errors: Readonly<Record<string, number>>;
}

interface Template {
  readonly bytes: Uint8Array;
  readonly sourceAddressAt: readonly number[];
  readonly sourcePortAt: readonly number[];
  readonly natPortAt: readonly number[];
}

export class ConntrackInjector {
  readonly portId: number;
  readonly #socket: BatchedSocket;
  readonly #walker = new NetlinkWalker();

  /** `namespacePath` as for withNetworkNamespace; absent: that of the calling thread. */
  static open(namespacePath?: string): ConntrackInjector {
    const create = (): ConntrackInjector => new ConntrackInjector();
    return namespacePath === undefined ? create() : withNetworkNamespace(namespacePath, create);
  }

  private constructor() {
    const opened = BatchedSocket.open({
      domain: AF_NETLINK,
      type: SOCK_RAW,
      protocol: netlinkNetfilter,
      cells: 64,
      cellBytes: 4096,
    });
    if (opened.kind === 'refused') throw new Error(errnoName(opened.errno));
    this.#socket = opened.socket;
    requireDone('bind', this.#socket.bind(netlinkSocketAddress()));
    for (const buffer of [option.sendBufferForce, option.receiveBufferForce]) {
      requireDone('buffer', this.#socket.setIntOption(socketLevel, buffer, 4 << 20));
    }
    requireDone('NETLINK_CAP_ACK', this.#socket.setIntOption(netlinkLevel, option.capAck, 1));
    this.portId = netlinkPortId(this.#socket.localAddress()!);
  }

  /** Blocks the thread until all is sent; errors come back without asking for acknowledgements. */
  inject(options: InjectOptions): Injected {
    const template = buildTemplate(options);
    const base = options.base ?? 0;
    const batch = options.batch ?? 128;
    const stride = template.bytes.length;
    const bytes = new Uint8Array(stride * batch);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < batch; i++) bytes.set(template.bytes, i * stride);
    const errors: Record<string, number> = {};
    for (let sent = 0; sent < options.count; sent += batch) {
      const now = Math.min(batch, options.count - sent);
      for (let i = 0; i < now; i++) patch(view, i * stride, template, base + sent + i);
      requireDone('send', this.#socket.send(bytes, undefined, 0, now * stride));
      this.#collect(errors);
    }
    return { sent: options.count, errors };
  }

  close(): void {
    this.#socket.close();
  }

  #collect(errors: Record<string, number>): void {
    const count = (name: string): void => {
      errors[name] = (errors[name] ?? 0) + 1;
    };
    for (let n = this.#socket.receive(); n !== 0; n = this.#socket.receive()) {
      if (n < 0 && n !== -ENOBUFS) throw new Error(errnoName(-n));
      if (n < 0) count('unknown');
      for (let i = 0; i < n; i++) {
        const start = i * this.#socket.cellBytes;
        this.#walker.reset(this.#socket.view, start, start + this.#socket.lengths[i]!);
        while (this.#walker.step()) {
          if (this.#walker.message.type !== netlinkType.error) continue;
          const answer = decodeNetlinkAnswer(this.#socket.view, this.#walker.message);
          if (answer.errno !== 0) count(errnoName(answer.errno));
        }
      }
    }
  }
}

function patch(view: DataView, start: number, template: Template, flow: number): void {
  const port = firstPort + (flow % portsPerAddress);
  const address = firstAddress + Math.floor(flow / portsPerAddress);
  for (const at of template.sourceAddressAt) view.setUint32(start + at, address);
  for (const at of template.sourcePortAt) view.setUint16(start + at, port);
  for (const at of template.natPortAt) view.setUint16(start + at, 20_000 + (flow % 40_000));
}

function buildTemplate(options: InjectOptions): Template {
  const isDelete = options.action === 'delete';
  const protocol = options.protocol === 'udp' ? 17 : 6;
  const natPortAt: number[] = [];
  const message = new NetlinkBuilder(512);
  if (isDelete) message.beginMessage(messageDelete, netlinkFlag.request, 0);
  else {
    const flags = netlinkFlag.request | netlinkFlag.create | netlinkFlag.exclusive;
    message.beginMessage(messageNew, flags, 0);
  }
  message.raw(Uint8Array.from([2, 0, 0, 0]));
  const server = parseIp('198.51.100.20')!.bytes;
  const client = new Uint8Array(4);
  const original = tuple(message, 1, client, server, protocol, 0, 443);
  if (isDelete) {
    const bytes = message.endMessage().written();
    return { bytes, sourceAddressAt: [original + 12], sourcePortAt: [original + 40], natPortAt };
  }
  const reply = tuple(message, 2, server, client, protocol, 443, 0);
  message.uint32(3, 0x0e).uint32(7, options.timeoutSeconds ?? 600);
  if (protocol === 6) tcpInfo(message);
  if (options.sourceNat !== undefined) {
    const nat = message.beginNest(6);
    message.attribute(1, options.sourceNat.bytes);
    const range = message.beginNest(3);
    message.uint16(1, 0);
    natPortAt.push(message.offset - 4);
    message.uint16(2, 0);
    natPortAt.push(message.offset - 4);
    message.endNest(range).endNest(nat);
  }
  return {
    bytes: message.endMessage().written(),
    sourceAddressAt: [original + 12, reply + 20],
    sourcePortAt: [original + 40, reply + 48],
    natPortAt,
  };
}

/** CTA_TUPLE_*; returns its offset. Addresses lie at +12 and +20, ports at +40 and +48. */
function tuple(
  message: NetlinkBuilder,
  type: number,
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
): number {
  const whole = message.beginNest(type);
  const ip = message.beginNest(1);
  message.attribute(1, source).attribute(2, destination).endNest(ip);
  const proto = message.beginNest(2);
  message.uint8(1, protocol).uint16(2, sourcePort).uint16(3, destinationPort);
  message.endNest(proto).endNest(whole);
  return whole;
}

/** CTA_PROTOINFO: ESTABLISHED, scales 7, flags 0x0b (liberal) with mask 0xff in both directions. */
function tcpInfo(message: NetlinkBuilder): void {
  const info = message.beginNest(4);
  const tcp = message.beginNest(1);
  message.uint8(1, 3).uint8(2, 7).uint8(3, 7);
  for (const type of [4, 5]) message.attribute(type, Uint8Array.from([0x0b, 0xff]));
  message.endNest(tcp).endNest(info);
}
