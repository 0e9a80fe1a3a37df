/**
 * conntrackd's client protocol on a UNIX stream socket: four bytes with the request number in host
 * order, text until the end of file, no status (conntrackd 1.4.7). A client that says nothing or
 * does not read is cut off after a while; it never holds anything up.
 */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { clearSocketPath } from '../../base/socketPath.js';
import { seconds, type Timers } from '../../base/time.js';

/** Answers one request: text pieces, at once or when the work is done. */
export type Answer = (request: number) => AsyncIterable<string> | undefined;

export interface ClientServerOptions {
  readonly path: string;
  readonly answer: Answer;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Serves until it is closed. `opened` resolves when it listens, or cannot. */
export interface RunningServer {
  readonly opened: Promise<void>;
  close(): void;
}

export type OpenServer = (options: ClientServerOptions) => RunningServer;

const clientTimeout = seconds(10);
const mostClients = 32;

export class ClientServer implements RunningServer {
  readonly #options: ClientServerOptions;
  /** Resolves when it listens, or cannot. */
  readonly opened: Promise<void>;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  /**
   * Takes over the socket of a daemon that crashed; mode 0600. Where it cannot listen, it says so
   * and serves nobody.
   */
  constructor(options: ClientServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
    const { path } = options;
    this.opened = new Promise((resolve) => {
      this.#server.on('error', (error) => {
        this.#complain(error);
        resolve();
      });
      try {
        clearSocketPath(path);
        this.#server.listen({ path }, () => {
          chmodSync(path, 0o600);
          resolve();
        });
      } catch (error) {
        this.#complain(error);
        resolve();
      }
    });
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
  }

  #complain(error: unknown): void {
    const { path, logger } = this.#options;
    const because = errorText(error);
    logger.log('error', 'cannot serve clients of the sync engine', { path, reason: because });
  }

  #accept(socket: Socket): void {
    if (this.#clients.size >= mostClients) {
      socket.destroy();
      return;
    }
    this.#clients.add(socket);
    socket.on('error', () => socket.destroy());
    const timer = this.#options.timers.after(clientTimeout, () => socket.destroy());
    socket.on('close', () => {
      timer.cancel();
      this.#clients.delete(socket);
    });
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      if (received.length >= 4) return;
      received = Buffer.concat([received, chunk.subarray(0, 4)]);
      if (received.length < 4) return;
      timer.cancel();
      void this.#serve(socket, received.readInt32LE(0));
    });
  }

  async #serve(socket: Socket, request: number): Promise<void> {
    try {
      const pieces = this.#options.answer(request);
      if (pieces !== undefined) {
        for await (const piece of pieces) {
          if (socket.destroyed) return;
          if (!socket.write(piece)) await this.#drained(socket);
        }
      }
    } catch (error) {
      this.#options.logger.log('warning', 'a client of the sync engine was not served', {
        request,
        reason: errorText(error),
      });
    }
    socket.end();
  }

  /** Back-pressure; a reader that takes nothing for long is cut off. */
  #drained(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.timers.after(clientTimeout, () => socket.destroy());
      const go = (): void => {
        timer.cancel();
        socket.off('drain', go);
        socket.off('close', go);
        resolve();
      };
      socket.on('drain', go);
      socket.on('close', go);
    });
  }
}
