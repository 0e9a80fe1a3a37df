/**
 * The replication channel over TCP, as conntrackd 1.4.7 has it: a listener and a client on each
 * node.
 */
import type { Timers, Turns } from '../../base/time.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { EADDRINUSE, ENODEV } from '../../base/errno.js';
import { outcomeOf } from '../socket/outcome.js';
import { interfaceIndex, interfaceMtu } from '../socket/interfaceQuery.js';
import { portOwnerText } from './portOwner.js';
import type {
  Channel,
  ChannelListener,
  KernelOutcome,
  StreamControl,
  StreamFraming,
  StreamSpec,
  StreamWatcher,
} from '../ports.js';
import { AF_INET, AF_INET6, SOCK_STREAM } from '../socket/sockaddr.js';
import { applyListenerOptions } from './tcpOptions.js';
import { TcpReceiver } from './tcpReceiver.js';
import { TcpSender } from './tcpSender.js';

export interface TcpChannelOptions {
  readonly timers: Timers;
  readonly turns: Turns;
  /** One for each connection that is taken. */
  readonly newFraming: () => StreamFraming;
}

export type OpenedTcpChannel =
  | { readonly kind: 'open'; readonly channel: TcpChannel }
  /** `operation` names the system call and what it was for. */
  | {
      readonly kind: 'refused';
      readonly operation: string;
      readonly outcome: KernelOutcome;
      /** Who listens on the port, where that is why. */
      readonly owner?: string;
    };

export class TcpChannel implements Channel, StreamControl {
  /** MTU of the interface when the channel was opened. */
  readonly mtu: number;
  readonly interfaceIndex: number;
  readonly stream: StreamControl = this;
  readonly #sender: TcpSender;
  readonly #receiver: TcpReceiver;
  #listener: ChannelListener | undefined;
  #watcher: StreamWatcher | undefined;

  static open(spec: StreamSpec, parts: TcpChannelOptions): OpenedTcpChannel {
    const domain = spec.family === 4 ? AF_INET : AF_INET6;
    const opened = BatchedSocket.open({ domain, type: SOCK_STREAM, protocol: 0 });
    if (opened.kind === 'refused') return refused('socket', opened.errno);
    const { socket } = opened;
    const index = interfaceIndex(socket, spec.interfaceName);
    const mtu = interfaceMtu(socket, spec.interfaceName);
    if (index.kind === 'refused' || mtu.kind === 'refused') {
      socket.close();
      const errno = index.kind === 'refused' ? index.errno : ENODEV;
      return refused(`interface ${spec.interfaceName}`, errno);
    }
    const failed = applyListenerOptions(socket, spec, index.value);
    const descriptor = failed === undefined ? socket.duplicate() : 0;
    socket.close();
    if (failed !== undefined) {
      const owner =
        failed.errno === EADDRINUSE ? portOwnerText('tcp', spec.family, spec.port) : undefined;
      return refused(failed.operation, failed.errno, owner);
    }
    if (descriptor < 0) return refused('listen', -descriptor);
    // The listener is bound to the device; the sender looks its scope up for each connection.
    const found = { mtu: mtu.value, index: index.value };
    return { kind: 'open', channel: new TcpChannel(descriptor, spec, parts, found) };
  }

  private constructor(
    descriptor: number,
    spec: StreamSpec,
    parts: TcpChannelOptions,
    found: { readonly mtu: number; readonly index: number },
  ) {
    this.mtu = found.mtu;
    this.interfaceIndex = found.index;
    this.#receiver = new TcpReceiver(descriptor, {
      ...parts,
      destination: spec.destination,
      deliver: (messages, source, port) => {
        this.#listener?.(messages, source, port);
      },
    });
    this.#sender = new TcpSender(spec, parts.timers, {
      changed: (isConnected, because) => {
        this.#watcher?.changed('sending', isConnected, because);
      },
    });
  }

  get isSending(): boolean {
    return this.#sender.isConnected;
  }

  get isReceiving(): boolean {
    return this.#receiver.isConnected;
  }

  onDatagram(listener: ChannelListener): void {
    this.#listener = listener;
  }

  /** Begins to connect. */
  watch(watcher: StreamWatcher): void {
    this.#watcher = watcher;
    this.#receiver.watch({
      admits: (source) => watcher.admits(source),
      changed: (direction, isConnected, because) => {
        watcher.changed(direction, isConnected, because);
        // The peer is there: no need to wait for the end of a pause.
        if (isConnected) this.#sender.retryNow();
      },
    });
    this.#sender.retryNow();
  }

  send(messages: Uint8Array): KernelOutcome {
    return this.#sender.send(messages);
  }

  onceWritable(callback: () => void): void {
    this.#sender.onceWritable(callback);
  }

  restart(): void {
    this.#sender.restart();
  }

  close(): void {
    this.#listener = undefined;
    this.#watcher = undefined;
    this.#sender.close();
    this.#receiver.close();
  }
}

function refused(operation: string, errno: number, owner?: string): OpenedTcpChannel {
  const outcome = outcomeOf(errno);
  return { kind: 'refused', operation, outcome, ...(owner === undefined ? {} : { owner }) };
}
