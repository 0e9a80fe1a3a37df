/**
 * A bad cable: a host whose two interfaces are joined by a program that drops, delays, reorders,
 * duplicates, corrupts and mangles frames by a seed, changed at run time.
 */
import { sendFrames, type Bridge } from './bridge.js';
import type { Host } from './host.js';
import type { ImpairmentCounts, Impairments } from './impairment.js';
import type { Lab, LinkEnd } from './lab.js';
import type { ManagedProcess } from './managedProcess.js';
import { waitFor } from './waitFor.js';

export interface RelayCounts {
  readonly toRight: ImpairmentCounts;
  readonly toLeft: ImpairmentCounts;
}

export class Relay {
  readonly host: Host;
  readonly process: ManagedProcess;
  #answers = 0;

  private constructor(host: Host, started: ManagedProcess) {
    this.host = host;
    this.process = started;
  }

  /** Joins `left` with `right`, which is a host's end or a switch. */
  static async join(
    lab: Lab,
    left: LinkEnd,
    right: LinkEnd | Bridge,
    seed = 1,
    name = 'relay',
  ): Promise<Relay> {
    const host = await lab.host(name);
    // A cable has no addresses and says nothing of its own.
    await host.sysctl({ 'net.ipv6.conf.default.disable_ipv6': 1 });
    await lab.link({ host, name: 'left' }, left);
    await sendFrames(left.host, left.name);
    if ('host' in right && 'name' in right) {
      await lab.link({ host, name: 'right' }, right);
      await sendFrames(right.host, right.name);
    } else {
      await right.attach(host, 'right');
      await sendFrames(right.host, right.port(host, 'right'));
    }
    const started = host.startTypescript('test/lab/relayProgram.ts', [String(seed)]);
    await started.waitForOutput('"ready":true');
    return new Relay(host, started);
  }

  /** Replaces the impairments of one or both directions; `{}` ends them. */
  async set(impairments: { toRight?: Impairments; toLeft?: Impairments }): Promise<void> {
    await this.#ask({ set: impairments });
  }

  async setBoth(impairments: Impairments): Promise<void> {
    await this.set({ toRight: impairments, toLeft: impairments });
  }

  /** What happened so far. */
  counts(): Promise<RelayCounts> {
    return this.#ask({ counts: true });
  }

  async #ask(request: object): Promise<RelayCounts> {
    this.#answers++;
    const position = this.#answers;
    this.process.write(`${JSON.stringify(request)}\n`);
    return waitFor(() => this.process.jsonLines()[position] as RelayCounts | undefined, {
      description: 'the relay to answer',
      interval: 10,
    });
  }
}
