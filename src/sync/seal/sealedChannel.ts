/**
 * A channel whose datagrams are sealed: stands between the links, which see what is in them, and
 * the sockets. Greets by itself until the peer is known.
 */
import { EOPNOTSUPP } from '../../base/errno.js';
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { ArmedTimer, Clock, Timers } from '../../base/time.js';
import { milliseconds } from '../../base/time.js';
import type { Channel, ChannelListener, DatagramOrigin, KernelOutcome } from '../../net/ports.js';
import { SealMachine, type SealOptions } from './sealMachine.js';
import type { SealRefusal } from './sealRefusals.js';
import { sealOverhead } from '../wire/sealWire.js';

/** Of the datagrams of a run, and what each is longer. */
const roomForRun = 131_072;
const tickPeriod = milliseconds(250);

export interface SealedChannelPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly refused: (reason: SealRefusal) => void;
  readonly closed?: () => void;
}

export class SealedChannel implements Channel {
  readonly overhead = sealOverhead;
  readonly sendRun?: (datagrams: Uint8Array, size: number) => KernelOutcome;
  readonly onceWritable?: (callback: () => void) => void;
  readonly #inner: Channel;
  readonly #machine: SealMachine;
  readonly #ports: SealedChannelPorts;
  readonly #room = new Uint8Array(roomForRun);
  #timer: ArmedTimer | undefined;
  #admits: ((origin: DatagramOrigin) => boolean) | undefined;
  /** The socket hands over the same object for each datagram of a sender. */
  #lastSource: { readonly source: IpAddress; readonly text: string } | undefined;

  constructor(inner: Channel, options: SealOptions, ports: SealedChannelPorts) {
    this.#inner = inner;
    this.#ports = ports;
    this.#machine = new SealMachine(options);
    if (inner.sendRun !== undefined) {
      this.sendRun = (datagrams, size) => this.#sendRun(datagrams, size);
    }
    if (inner.onceWritable !== undefined) {
      this.onceWritable = (callback) => inner.onceWritable?.(callback);
    }
    this.#tick();
  }

  /** Of what leaves. */
  get nonce(): Uint8Array {
    return this.#machine.nonce;
  }

  get mtu(): number | undefined {
    return this.#inner.mtu;
  }

  get interfaceIndex(): number | undefined {
    return this.#inner.interfaceIndex;
  }

  get receiveErrors(): number {
    return this.#inner.receiveErrors ?? 0;
  }

  get stream(): Channel['stream'] {
    return this.#inner.stream;
  }

  send(datagram: Uint8Array): KernelOutcome {
    if (!this.#machine.seals) return this.#inner.send(datagram);
    const length = this.#machine.seal(datagram, this.#room);
    return this.#inner.send(this.#room.subarray(0, length));
  }

  onDatagram(listener: ChannelListener): void {
    this.#inner.onDatagram((bytes, source, port, arrival) => {
      if (this.#admits?.({ source, port, arrival }) === false) return;
      const from = this.#textOf(source);
      const open = (record: Uint8Array): void => {
        const datagram = this.#open(record, from);
        if (datagram !== undefined) listener(datagram, source, port, arrival);
      };
      if (this.#inner.stream === undefined) open(bytes);
      else for (const record of recordsOf(bytes)) open(record);
    });
  }

  screen(admits: (origin: DatagramOrigin) => boolean): void {
    this.#admits = admits;
  }

  close(): void {
    this.#timer?.cancel();
    this.#ports.closed?.();
    this.#inner.close();
  }

  #sendRun(datagrams: Uint8Array, size: number): KernelOutcome {
    if (!this.#machine.seals) return this.#inner.sendRun?.(datagrams, size) ?? noRun;
    const used = this.#machine.sealRun(datagrams, size, this.#room);
    const sealed = this.#room.subarray(0, used);
    return this.#inner.sendRun?.(sealed, size + sealOverhead) ?? noRun;
  }

  #open(record: Uint8Array, from: string): Uint8Array | undefined {
    const opened = this.#machine.open(record, from, this.#ports.clock.now());
    switch (opened.kind) {
      case 'data':
        return opened.datagram;
      case 'greeting':
        if (opened.reply !== undefined) this.#inner.send(opened.reply);
        return undefined;
      case 'refused':
        this.#ports.refused(opened.reason);
        this.#greet();
        return undefined;
    }
  }

  #textOf(source: IpAddress): string {
    if (this.#lastSource?.source !== source) {
      this.#lastSource = { source, text: formatIp(source) };
    }
    return this.#lastSource.text;
  }

  #tick(): void {
    this.#greet();
    this.#timer = this.#ports.timers.after(tickPeriod, () => this.#tick());
  }

  #greet(): void {
    const hello = this.#machine.greeting(this.#ports.clock.now());
    if (hello !== undefined) this.#inner.send(hello);
  }
}

/**
 * Records lie end to end in a stream, plain messages among them where the peer begins to seal: both
 * have their length in bytes 2 and 3.
 */
function* recordsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const end = Math.min(bytes.length, at + Math.max(length, 1));
    yield bytes.subarray(at, end);
    at = end;
  }
}

const noRun: KernelOutcome = { kind: 'refused', errno: EOPNOTSUPP, message: 'no runs' };
