/**
 * `control_read_group`: a second control socket on which a group may ask, and change nothing. Its
 * places are its own, and one user has a few of them: whoever takes them all is only in the own
 * way.
 */
import { rmSync } from 'node:fs';
import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Timers } from '../base/time.js';
import { readOnly, readersPath } from '../control/readOnly.js';
import { ControlServer, type ControlHandler } from '../control/server.js';
import { peerUser } from '../net/socket/peerUser.js';
import { findGroup, readAccountFiles } from '../vrrp/scripts/accounts.js';
import { problem, type Finding } from './problemTable/table.js';

export interface ReadersPorts {
  readonly handler: ControlHandler;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * Clients at a time, in all and of one user: of those that ask, and of those that follow events.
 */
const places = { clientLimit: 128, streamLimit: 128, userLimit: 16 };

export class ReadersSocket {
  readonly #path: string;
  readonly #ports: ReadersPorts;
  #group: string | undefined;
  #server: ControlServer | undefined;
  #refused: string | undefined;

  constructor(controlPath: string, ports: ReadersPorts) {
    this.#path = readersPath(controlPath);
    this.#ports = ports;
  }

  get problems(): readonly Finding[] {
    if (this.#refused === undefined) return [];
    const text = `control_read_group ${this.#group ?? ''}: ${this.#refused}`;
    return [problem('readers-refused', text)];
  }

  /** Serves this group from now on; undefined: none. */
  async apply(group: string | undefined): Promise<void> {
    if (group === this.#group && this.#refused === undefined) return;
    await this.close();
    this.#group = group;
    this.#refused = undefined;
    if (group === undefined) return;
    try {
      this.#server = await this.#listen(group);
    } catch (error) {
      this.#refused = errorText(error);
      const { logger } = this.#ports;
      logger.log('error', 'no socket for who only reads', { group, reason: this.#refused });
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
    // What a crash has left would only say that nobody answers.
    rmSync(this.#path, { force: true });
  }

  #listen(name: string): Promise<ControlServer> {
    const group = findGroup(readAccountFiles().group, name);
    if (group === undefined) throw new Error(`there is no group '${name}' in /etc/group`);
    const { handler, ...ports } = this.#ports;
    return ControlServer.listen({
      ...{ ...ports, ...places, group, path: this.#path, userOf: peerUser },
      handler: readOnly(handler),
    });
  }
}
