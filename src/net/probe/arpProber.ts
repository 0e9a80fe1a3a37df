/** Asks a neighbour by ARP, over a packet socket of its own on the interface. */
import type { ArmedTimer, Clock, Timers } from '../../base/time.js';
import { ENODEV } from '../../base/errno.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { interfaceHardwareAddress, interfaceIndex } from '../socket/interfaceQuery.js';
import { outcomeOf } from '../socket/outcome.js';
import { AF_PACKET, packetSocketAddress, SOCK_RAW } from '../socket/sockaddr.js';
import type { KernelOutcome, ProbeListener, Prober, ProbeSpec } from '../ports.js';
import { answeringAddress, encodeArpRequest, etherTypeArp, repliesOnly } from './arpMessages.js';
import { FloodBrake, pause } from './floodBrake.js';
import type { OpenProbes } from './openProbes.js';

type ArpSpec = Extract<ProbeSpec, { kind: 'arp' }>;

interface ArpPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly probes: OpenProbes;
}

export class ArpProber implements Prober {
  readonly #ports: ArpPorts;
  readonly #spec: ArpSpec;
  readonly #listener: ProbeListener;
  readonly #brake = new FloodBrake();
  #socket: BatchedSocket | undefined;
  /** Of the interface to which the socket is bound. */
  #index: number | undefined;
  #mac = new Uint8Array(6);
  #open: number | undefined;
  #resume: ArmedTimer | undefined;

  constructor(ports: ArpPorts, spec: ArpSpec, listener: ProbeListener) {
    this.#ports = ports;
    this.#spec = spec;
    this.#listener = listener;
  }

  get isFlooded(): boolean {
    return this.#resume !== undefined;
  }

  /** An answer belongs to the last probe: ARP has no numbers. */
  send(probe: number): KernelOutcome {
    const errno = this.#prepare();
    const socket = this.#socket;
    if (errno !== 0 || socket === undefined) return outcomeOf(errno);
    const { address, source } = this.#spec;
    const frame = encodeArpRequest({
      mac: this.#mac,
      target: address.bytes,
      ...(source === undefined ? {} : { sender: source.bytes }),
    });
    const to = packetSocketAddress(etherTypeArp, this.#index ?? 0, frame.subarray(0, 6));
    const sent = socket.send(frame, to);
    if (sent === 0) this.#open = probe;
    else this.#drop();
    return outcomeOf(sent);
  }

  forget(probe: number): void {
    if (this.#open === probe) this.#open = undefined;
  }

  close(): void {
    this.#drop();
  }

  #drop(): void {
    this.#resume?.cancel();
    this.#resume = undefined;
    this.#socket?.close();
    this.#socket = undefined;
    this.#index = undefined;
  }

  /** A socket on the interface that has the name now; errno. */
  #prepare(): number {
    const opened = this.#socket ?? open();
    if (typeof opened === 'number') return opened;
    this.#socket = opened;
    const index = interfaceIndex(opened, this.#spec.interfaceName);
    const hardware = interfaceHardwareAddress(opened, this.#spec.interfaceName);
    if (index.kind === 'refused' || hardware.kind === 'refused') {
      this.#drop();
      return ENODEV;
    }
    this.#mac = new Uint8Array(hardware.value.address);
    if (this.#index === index.value) return 0;
    return this.#listenOn(opened, index.value);
  }

  #listenOn(socket: BatchedSocket, index: number): number {
    const filtered = socket.attachFilter(repliesOnly());
    const errno = filtered === 0 ? socket.bind(packetSocketAddress(etherTypeArp, index)) : filtered;
    if (errno !== 0) {
      this.#drop();
      return errno;
    }
    this.#index = index;
    this.#read(socket);
    return 0;
  }

  #read(socket: BatchedSocket): void {
    socket.startReceiving({
      onBatch: (count) => this.#batch(socket, count),
      onOverrun: () => undefined,
      onError: () => undefined,
    });
  }

  #batch(socket: BatchedSocket, count: number): void {
    const { clock, timers, probes } = this.#ports;
    for (let i = 0; i < count && this.#socket === socket; i++) this.#frame(socket.datagram(i));
    if (this.#socket !== socket || !this.#brake.isTooMuch(count, clock.now())) return;
    if (this.#resume !== undefined) return;
    socket.stopReceiving();
    probes.flooded();
    this.#resume = timers.after(pause, () => {
      this.#resume = undefined;
      this.#read(socket);
    });
  }

  #frame(frame: Uint8Array): void {
    const from = answeringAddress(frame, this.#mac);
    const isTarget = from !== undefined && Buffer.compare(from, this.#spec.address.bytes) === 0;
    const probe = this.#open;
    // Replies to the kernel's own requests come in too.
    if (!isTarget || probe === undefined) return;
    this.#open = undefined;
    this.#listener.answered(probe);
  }
}

/** errno where the kernel refuses. Protocol 0 hears nothing until it is bound. */
function open(): BatchedSocket | number {
  const opened = BatchedSocket.open({
    ...{ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 },
    ...{ cells: 32, cellBytes: 64 },
  });
  return opened.kind === 'open' ? opened.socket : opened.errno;
}
