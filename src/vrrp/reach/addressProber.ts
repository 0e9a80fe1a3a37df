/**
 * Asks one address of a target again and again, and keeps what that has shown. Rounds come from
 * the target, so that all of its addresses are asked together.
 */
import { addTime, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import { EADDRNOTAVAIL } from '../../base/errno.js';
import type { IpAddress } from '../../base/ipAddress.js';
import type { Prober, ProberFactory } from '../../net/ports.js';
import type { TargetAddress, TrackTargetSettings } from '../settings.js';
import { LossWindow, type WindowView } from './lossWindow.js';
import { addressText, specOf } from './probeSpec.js';
import { judgeRefusal } from './refusals.js';
import {
  afterProbe,
  becomeUnable,
  initialAddress,
  type AddressState,
  type ProbeOutcome,
} from './targetState.js';

export interface AddressProberPorts {
  readonly clock: Clock;
  readonly probers: ProberFactory;
  /** An instance that tracks the target is MASTER. */
  readonly isMaster: () => boolean;
  /** This node has the address now. */
  readonly hasAddress: (address: IpAddress) => boolean;
  /** The state may have changed. */
  readonly decided: () => void;
}

/** A probe that is not decided. */
interface OpenProbe {
  readonly sentAt: Microseconds;
  readonly deadline: Microseconds;
}

export class AddressProber {
  readonly text: string;
  readonly #ports: AddressProberPorts;
  readonly #settings: TrackTargetSettings;
  readonly #prober: Prober;
  readonly #window = new LossWindow();
  readonly #open = new Map<number, OpenProbe>();
  #state: AddressState;
  #next = 1;
  #refusal: string | undefined;

  constructor(ports: AddressProberPorts, settings: TrackTargetSettings, address: TargetAddress) {
    this.#ports = ports;
    this.#settings = settings;
    this.text = addressText(address);
    this.#state = initialAddress(ports.clock.now());
    this.#prober = ports.probers.open(specOf(settings, address), {
      answered: (probe) => this.#decide(probe, 'answered'),
      failed: (probe, errno) => {
        if (this.#open.has(probe)) this.#refused(probe, errno);
      },
    });
  }

  get state(): AddressState {
    return this.#state;
  }

  /** Why the last probe could not be sent; undefined once one was answered. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  get isFlooded(): boolean {
    return this.#prober.isFlooded;
  }

  view(now: Microseconds): WindowView {
    return this.#window.view(now);
  }

  /** The timeout counts from `due`: rounds are a little late, each by another time. */
  ask(due: Microseconds): void {
    const probe = this.#next++;
    const deadline = addTime(due, this.#settings.timeout);
    this.#open.set(probe, { sentAt: this.#ports.clock.now(), deadline });
    const { source } = this.#settings;
    // A raw socket would send from any address, and the answer would go to whoever has it.
    if (source !== undefined && !this.#ports.hasAddress(source)) {
      this.#refused(probe, EADDRNOTAVAIL);
      return;
    }
    const outcome = this.#prober.send(probe);
    if (outcome.kind === 'refused') this.#refused(probe, outcome.errno);
  }

  /** Probes whose time is over are lost; those of a flooded socket say nothing. */
  expire(now: Microseconds): void {
    for (const [probe, { deadline }] of this.#open) {
      if (deadline > now) continue;
      this.#decide(probe, this.#prober.isFlooded ? 'blind' : 'lost');
    }
  }

  close(): void {
    this.#prober.close();
  }

  #decide(probe: number, outcome: ProbeOutcome): void {
    const sentAt = this.#open.get(probe)?.sentAt;
    if (sentAt === undefined) return;
    this.#open.delete(probe);
    const now = this.#ports.clock.now();
    if (outcome === 'answered') this.#refusal = undefined;
    else this.#prober.forget(probe);
    if (outcome !== 'blind') {
      this.#window.add(now, outcome === 'answered' ? subtractTime(now, sentAt) : undefined);
    }
    this.#state = afterProbe(this.#state, { sentAt, outcome }, this.#settings, now);
    this.#ports.decided();
  }

  #refused(probe: number, errno: number): void {
    const refusal = judgeRefusal(errno, this.#settings.interfaceName);
    this.#refusal = refusal.kind === 'lost' ? undefined : refusal.why;
    if (refusal.kind === 'lost' || (refusal.kind === 'noWay' && this.#ports.isMaster())) {
      this.#decide(probe, 'lost');
      return;
    }
    this.#open.delete(probe);
    this.#prober.forget(probe);
    this.#state = becomeUnable(this.#state, refusal.why, this.#ports.clock.now());
    this.#ports.decided();
  }
}
