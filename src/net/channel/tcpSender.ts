/**
 * The connection that this node opens: made anew whenever it ends, with growing pauses. Never
 * blocks, and never holds more than a little: what it cannot take is refused, so that the newest
 * state waits at its source.
 *
 *   pausing -> connecting -> connected -> pausing ...      (restart, retryNow: back to connecting at once)
 */
import { Socket } from 'node:net';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { EAGAIN, EINPROGRESS, ENOTCONN, errnoText } from '../../base/errno.js';
import { outcomeOf } from '../socket/outcome.js';
import { interfaceIndex } from '../socket/interfaceQuery.js';
import type { KernelOutcome, StreamSpec } from '../ports.js';
import { AF_INET, AF_INET6, ipSocketAddress, SOCK_STREAM } from '../socket/sockaddr.js';
import { applyConnectorOptions } from './tcpOptions.js';
import { scopeFor } from './udpOptions.js';
import { SOL_SOCKET, SO_ERROR } from '../socket/socketOptions.js';

const firstPause = milliseconds(250);
const longestPause = seconds(4);
/** A SYN that is not answered is repeated once by the kernel meanwhile. */
const longestConnecting = seconds(3);
/** A connection that lived this long was a good one: the pauses begin anew. */
const goodAfter = seconds(5);
/** Bytes that may wait in this process behind the kernel's send buffer. */
const mostBuffered = 131_072;

export interface SenderEvents {
  changed(isConnected: boolean, because: string): void;
}

export class TcpSender {
  readonly #spec: StreamSpec;
  readonly #timers: Timers;
  readonly #events: SenderEvents;
  /** Made by hand for its options, until it is connected. */
  #connecting: BatchedSocket | undefined;
  #socket: Socket | undefined;
  /** The pause, the limit on connecting, or the proof of a good connection. */
  #timer: ArmedTimer | undefined;
  #pause = firstPause;
  #writable: (() => void) | undefined;
  #isClosed = false;

  constructor(spec: StreamSpec, timers: Timers, events: SenderEvents) {
    this.#spec = spec;
    this.#timers = timers;
    this.#events = events;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /**
   * ENOTCONN during a pause, EAGAIN while connecting or full. The bytes may be reused after the
   * call.
   */
  send(bytes: Uint8Array): KernelOutcome {
    const socket = this.#socket;
    if (socket === undefined) {
      return outcomeOf(this.#connecting === undefined ? ENOTCONN : EAGAIN);
    }
    if (socket.writableLength >= mostBuffered) return outcomeOf(EAGAIN);
    socket.write(Buffer.from(bytes));
    return { kind: 'done' };
  }

  onceWritable(callback: () => void): void {
    this.#writable = callback;
  }

  /** Ends a pause. */
  retryNow(): void {
    if (this.#isClosed || this.#connecting !== undefined || this.#socket !== undefined) return;
    this.#connect();
  }

  restart(): void {
    this.#pause = firstPause;
    this.#end('the link was left');
    this.retryNow();
  }

  /** What the kernel has taken still goes out. */
  close(): void {
    this.#isClosed = true;
    this.#writable = undefined;
    this.#socket?.destroy();
    this.#end('closed');
  }

  #connect(): void {
    this.#timer?.cancel();
    const made = newConnection(this.#spec);
    if ('errno' in made) {
      this.#failed(errnoText(made.errno));
      return;
    }
    this.#connecting = made.socket;
    this.#timer = this.#timers.after(longestConnecting, () => {
      this.#failed('no answer');
    });
    made.socket.onceWritable(() => {
      this.#connected(made.socket);
    });
  }

  #connected(connecting: BatchedSocket): void {
    const errno = connecting.getIntOption(SOL_SOCKET, SO_ERROR) ?? 0;
    const descriptor = errno === 0 ? connecting.duplicate() : -errno;
    if (descriptor < 0) {
      this.#failed(errnoText(-descriptor));
      return;
    }
    this.#timer?.cancel();
    this.#connecting = undefined;
    connecting.close();
    const socket = new Socket({ fd: descriptor });
    this.#socket = socket;
    let because = 'the peer closed it';
    socket.on('error', (error) => {
      because = error.message;
    });
    const ended = (): void => {
      if (this.#socket === socket) this.#failed(because);
    };
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('drain', () => {
      this.#callWritable();
    });
    // Nothing is said on this connection by the peer; reading shows its end.
    socket.resume();
    this.#timer = this.#timers.after(goodAfter, () => {
      this.#pause = firstPause;
    });
    this.#events.changed(true, 'the peer answered');
    this.#callWritable();
  }

  #failed(because: string): void {
    this.#end(because);
    if (this.#isClosed) return;
    this.#timer = this.#timers.after(this.#pause, () => {
      this.#connect();
    });
    this.#pause = Math.min(longestPause, this.#pause * 2) as typeof longestPause;
    // Whoever waits for room must learn that there will be none.
    this.#callWritable();
  }

  /** By RST: what is under way would arrive behind newer messages. */
  #end(because: string): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#connecting?.close();
    this.#connecting = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    if (!socket.destroyed) socket.resetAndDestroy();
    this.#events.changed(false, because);
  }

  #callWritable(): void {
    const callback = this.#writable;
    this.#writable = undefined;
    callback?.();
  }
}

/** On its way to the peer. */
function newConnection(
  spec: StreamSpec,
): { readonly socket: BatchedSocket } | { readonly errno: number } {
  const domain = spec.family === 4 ? AF_INET : AF_INET6;
  const opened = BatchedSocket.open({ domain, type: SOCK_STREAM, protocol: 0 });
  if (opened.kind === 'refused') return { errno: opened.errno };
  const { socket } = opened;
  const errno = startConnecting(socket, spec);
  if (errno === 0 || errno === EINPROGRESS) return { socket };
  socket.close();
  return { errno };
}

function startConnecting(socket: BatchedSocket, spec: StreamSpec): number {
  const index = interfaceIndex(socket, spec.interfaceName);
  if (index.kind === 'refused') return index.errno;
  const failed = applyConnectorOptions(socket, spec, index.value);
  if (failed !== undefined) return failed.errno;
  const { destination, port } = spec;
  return socket.connect(ipSocketAddress(destination, port, scopeFor(destination, index.value)));
}
