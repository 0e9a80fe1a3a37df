/**
 * The listener, and the one connection on which the peer speaks. A new one replaces the old one, as
 * in conntrackd 1.4.7, where a peer that lost its end comes again; but the configured peer's is not
 * replaced by another host's. Each read gives the event loop its turn, and what is not read yet
 * waits in the kernel.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { ipEquals, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { Turns } from '../../base/time.js';
import type { ChannelListener, StreamFraming, StreamWatcher } from '../ports.js';

const backlog = 8;

export interface TcpReceiverOptions {
  readonly destination: IpAddress;
  readonly turns: Turns;
  readonly newFraming: () => StreamFraming;
  readonly deliver: ChannelListener;
}

export class TcpReceiver {
  readonly #parts: TcpReceiverOptions;
  readonly #server: Server;
  #watcher: StreamWatcher | undefined;
  #current: { readonly socket: Socket; readonly source: IpAddress } | undefined;

  /** `descriptor` is that of a bound socket, and is the server's from now on. */
  constructor(descriptor: number, parts: TcpReceiverOptions) {
    this.#parts = parts;
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
    this.#server.on('error', (error) => {
      this.#watcher?.changed('receiving', false, error.message);
    });
    this.#server.listen({ fd: descriptor, backlog });
  }

  get isConnected(): boolean {
    return this.#current !== undefined;
  }

  watch(watcher: StreamWatcher): void {
    this.#watcher = watcher;
  }

  close(): void {
    this.#watcher = undefined;
    this.#server.close();
    this.#current?.socket.destroy();
    this.#current = undefined;
  }

  #accept(socket: Socket): void {
    // It may be gone already; and it may fail before it was judged.
    socket.on('error', () => undefined);
    const source = parseIp((socket.remoteAddress ?? '').replace(/%.*/, ''));
    const isWelcome = source !== undefined && this.#watcher?.admits(source) === true;
    if (!isWelcome || this.#isOutranked(source)) {
      socket.destroy();
      return;
    }
    const before = this.#current;
    this.#current = { socket, source };
    before?.socket.destroy();
    this.#read(socket, source);
    this.#watcher?.changed('receiving', true, 'the peer connected');
  }

  #isOutranked(source: IpAddress): boolean {
    const { destination } = this.#parts;
    const current = this.#current;
    return (
      current !== undefined &&
      ipEquals(current.source, destination) &&
      !ipEquals(source, destination)
    );
  }

  #read(socket: Socket, source: IpAddress): void {
    const { newFraming, deliver, turns } = this.#parts;
    const framing = newFraming();
    const port = socket.remotePort ?? 0;
    let because = 'the peer closed it';
    socket.on('error', (error) => {
      because = error.message;
    });
    socket.on('data', (chunk: Buffer) => {
      const isInStep = framing.push(chunk, (messages) => {
        if (this.#current?.socket === socket) deliver(messages, source, port);
      });
      if (!isInStep) {
        because = 'the stream was out of step';
        socket.destroy();
        return;
      }
      socket.pause();
      turns.next(() => {
        socket.resume();
      });
    });
    socket.on('close', () => {
      if (this.#current?.socket !== socket) return;
      this.#current = undefined;
      this.#watcher?.changed('receiving', false, because);
    });
  }
}
