/** sd_notify(3): readiness, status line and watchdog for systemd; silent where nobody listens. */
import type { ArmedTimer, Microseconds, Timers } from '../../base/time.js';
import { microseconds } from '../../base/time.js';

/** Sends one datagram to the service manager; outcome of no interest. */
export type NotifySend = (text: string) => void;

export interface ServiceEnvironment {
  /** WATCHDOG_USEC, where it is meant for this process (WATCHDOG_PID). */
  readonly watchdog: Microseconds | undefined;
}

export class ServiceManager {
  readonly #send: NotifySend;
  readonly #timers: Timers;
  readonly #watchdog: Microseconds | undefined;
  #timer: ArmedTimer | undefined;
  #isAlive: () => boolean = () => true;
  #lastStatus = '';

  constructor(send: NotifySend, timers: Timers, environment: ServiceEnvironment) {
    this.#send = send;
    this.#timers = timers;
    this.#watchdog = environment.watchdog;
  }

  /** `isAlive` is asked before each sign of life: the VRRP loop answers it, nothing else does. */
  ready(status: string, isAlive: () => boolean): void {
    this.#isAlive = isAlive;
    this.#send(`READY=1\nSTATUS=${status}`);
    this.#lastStatus = status;
    this.#beat();
  }

  status(text: string): void {
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#send(`STATUS=${text}`);
  }

  reloading(now: Microseconds): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${now}`);
  }

  reloaded(): void {
    this.#send('READY=1');
  }

  stopping(): void {
    this.#timer?.cancel();
    this.#send('STOPPING=1');
  }

  #beat(): void {
    if (this.#watchdog === undefined) return;
    if (this.#isAlive()) this.#send('WATCHDOG=1');
    this.#timer = this.#timers.after(microseconds(this.#watchdog / 3), () => this.#beat());
  }
}

/** From the environment that systemd gives. */
export function serviceEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): ServiceEnvironment {
  const period = Number(environment['WATCHDOG_USEC']);
  const forPid = environment['WATCHDOG_PID'];
  const isOurs = forPid === undefined || Number(forPid) === pid;
  return { watchdog: isOurs && period > 0 ? microseconds(period) : undefined };
}
