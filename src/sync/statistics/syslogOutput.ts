/**
 * Connections that ended, as records of syslog: RFC 3164 datagrams of priority info, as conntrackd
 * 1.4.7 sends them. A syslog daemon that reads slowly holds up nobody: lines wait for it, bounded.
 */
import { EAGAIN, errnoName, errnoText } from '../../base/errno.js';
import { facilities } from '../../base/syslogFacilities.js';
import {
  milliseconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
  type Turns,
} from '../../base/time.js';
import type { StatisticsOutput } from '../messages.js';

export interface SyslogPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  /** One datagram to the local syslog daemon; 0, or a positive errno. Does not wait. */
  readonly sendSyslog: (datagram: Uint8Array) => number;
}

const informational = 6;
const mostWaiting = 8_192;
/** A datagram costs 10 us; events are read between two turns. */
const linesPerTurn = 64;
/** The queue of a datagram socket holds few (net.unix.max_dgram_qlen). */
const fullPause = milliseconds(20);

export class SyslogOutput {
  readonly #facility: string;
  readonly #ports: SyslogPorts;
  readonly #prefix: string;
  #waiting: string[] = [];
  /** The first that is not sent. */
  #first = 0;
  #written = 0;
  #lost = 0;
  #lostAt: Microseconds | undefined;
  #failing: { readonly since: Microseconds; readonly reason: string } | undefined;
  #isScheduled = false;
  #isClosed = false;
  #pause: ArmedTimer | undefined;

  constructor(facility: string, ports: SyslogPorts) {
    this.#facility = facility;
    this.#ports = ports;
    const priority = (facilities[facility] ?? 3) * 8 + informational;
    this.#prefix = `<${priority}>keepstate[${process.pid}]: `;
  }

  get status(): StatisticsOutput {
    return {
      kind: 'syslog',
      target: this.#facility,
      written: this.#written,
      lost: this.#lost,
      waiting: this.#waiting.length - this.#first,
      ...(this.#lostAt === undefined ? {} : { lostAt: this.#lostAt }),
      ...(this.#failing === undefined
        ? {}
        : { failingSince: this.#failing.since, reason: this.#failing.reason }),
    };
  }

  /** Without a time: syslog has its own. */
  write(line: string): void {
    if (this.#waiting.length - this.#first >= mostWaiting) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(line);
    this.#schedule();
  }

  /** Sends what the syslog daemon takes at once. */
  close(): void {
    this.#isClosed = true;
    this.#pause?.cancel();
    while (this.#first < this.#waiting.length && this.#send());
    this.#lose(this.#waiting.length - this.#first);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#ports.turns.next(() => {
      this.#turn();
    });
  }

  #turn(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    for (let i = 0; i < linesPerTurn && this.#first < this.#waiting.length; i++) {
      if (this.#send()) continue;
      this.#isScheduled = true;
      this.#pause = this.#ports.timers.after(fullPause, () => {
        this.#turn();
      });
      return;
    }
    if (this.#first < this.#waiting.length) this.#schedule();
    this.#compact();
  }

  /**
   * False where the daemon takes no more for now; a line that nobody hears is lost, as with
   * syslog(3).
   */
  #send(): boolean {
    const errno = this.#ports.sendSyslog(Buffer.from(this.#prefix + this.#waiting[this.#first]!));
    if (errno === EAGAIN) return false;
    this.#first++;
    if (errno === 0) {
      this.#written++;
      this.#failing = undefined;
      return true;
    }
    this.#lose(1);
    const reason = `${errnoName(errno)}: ${errnoText(errno)}`;
    this.#failing ??= { since: this.#ports.clock.now(), reason };
    return true;
  }

  #lose(count: number): void {
    if (count === 0) return;
    this.#lost += count;
    this.#lostAt = this.#ports.clock.now();
  }

  #compact(): void {
    if (this.#first < mostWaiting / 2 && this.#first < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}
