/**
 * Tells scripts and FIFOs about states, as keepalived 2.2.7 does: the script of the state first,
 * then the generic one with four more arguments, then the FIFO line. A state that was told already
 * is not repeated.
 */
import { addTime, seconds, type Microseconds } from '../../base/time.js';
import { runWithDeadline, type LimitedRun } from '../scripts/deadline.js';
import type { NotifySettings, ScriptCommand, VrrpSettings } from '../settings.js';
import { openFifo, type LineSink } from './fifo.js';
import { SerialRunner, timeoutAtStop, type NotifyPorts } from './serialRunner.js';

export type NotifyKind = 'INSTANCE' | 'GROUP';
export type NotifyState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED';
type FifoWord = NotifyState | 'MASTER_RX_LOWER_PRI' | 'MASTER_PRIORITY' | 'BACKUP_PRIORITY';

/** How long notify_stop scripts may take at shutdown (keepalived 2.2.7: about a second). */
export const stopTimeout: Microseconds = seconds(1);

/** `priority`: effective; 0 for groups. */
export interface NotifyEvent {
  readonly kind: NotifyKind;
  readonly name: string;
  readonly state: NotifyState;
  readonly priority: number;
  /** Why: scripts have it as KEEPSTATE_REASON. */
  readonly because?: string;
}

interface Owner {
  readonly runner: SerialRunner;
  told: NotifyEvent | undefined;
}

export class Notifier {
  readonly #ports: NotifyPorts;
  readonly #owners = new Map<string, Owner>();
  readonly #sinks = new Map<string, LineSink>();
  readonly #readers = new Map<string, LimitedRun>();
  #settings: VrrpSettings;
  /** What was told before anybody may hear it, in its order. */
  #held: (() => void)[] | undefined;

  /** `mayBegin`: scripts and FIFOs are told nothing before; what they call is not there yet. */
  constructor(ports: NotifyPorts, settings: VrrpSettings, mayBegin?: Promise<void>) {
    this.#ports = ports;
    this.#settings = settings;
    if (mayBegin !== undefined) {
      this.#held = [];
      void mayBegin.then(() => {
        this.#begin();
      });
    }
    this.#openSinks();
  }

  /** New settings; states that were told stay told. */
  reload(settings: VrrpSettings): void {
    this.#settings = settings;
    this.#openSinks();
    if (!settings.fifoWriteStatesOnReload) return;
    for (const { told } of this.#owners.values()) {
      if (told !== undefined) this.#writeLine(told.kind, told.name, told.state, told.priority);
    }
  }

  /** `notify` overrides the settings' (an instance that a reload removed is no longer in them). */
  tell(told: NotifyEvent, notify = this.#notifyOf(told.kind, told.name)): void {
    // Without notify_deleted an instance that a reload removed reports FAULT (keepalived 2.2.7).
    const saysDeleted = notify?.deleted !== undefined || notify?.reportsDeleted === true;
    const event: NotifyEvent =
      told.state === 'DELETED' && !saysDeleted ? { ...told, state: 'FAULT' } : told;
    const owner = this.#owner(event.kind, event.name);
    if (owner.told?.state === event.state) return;
    owner.told = event;
    this.#inOrder(() => {
      this.#run(owner, event, notify);
    });
  }

  #run({ runner }: Owner, event: NotifyEvent, notify: NotifySettings | undefined): void {
    const { because } = event;
    const about = because === undefined ? {} : { environment: { KEEPSTATE_REASON: because } };
    const specific = specificScript(notify, event.state);
    if (specific !== undefined) {
      runner.enqueue({ command: { ...specific, ...about }, label: event.state });
    }
    if (notify?.generic !== undefined) {
      const extra = [event.kind, event.name, event.state, String(event.priority)];
      const command = { ...notify.generic, ...about, words: [...notify.generic.words, ...extra] };
      runner.enqueue({ command, label: event.state });
    }
    this.#writeLine(event.kind, event.name, event.state, event.priority);
  }

  /**
   * MASTER heard a lower priority: the script gets no extra arguments; the FIFO a line in any case.
   */
  lowerPriorityReceived(name: string, priority: number): void {
    const script = this.#notifyOf('INSTANCE', name)?.masterReceivedLowerPriority;
    const label = 'MASTER_RX_LOWER_PRI';
    this.#inOrder(() => {
      if (script !== undefined) {
        this.#owner('INSTANCE', name).runner.enqueue({ command: script, label });
      }
      this.#writeLine('INSTANCE', name, label, priority);
    });
  }

  /** With `notify_priority_changes`: a line on the FIFO. */
  priorityChanged(name: string, state: 'MASTER' | 'BACKUP', priority: number): void {
    if (this.#notifyOf('INSTANCE', name)?.priorityChanges !== true) return;
    this.#inOrder(() => {
      this.#writeLine('INSTANCE', name, `${state}_PRIORITY`, priority);
    });
  }

  /** Forgets a name that is no longer configured, once its scripts are done. */
  forget(kind: NotifyKind, name: string): void {
    this.#owners.delete(keyOf(kind, name));
  }

  /**
   * Waits for running scripts, a second at most and half a second more where notify_stop waits
   * behind an older one, ends the rest and closes the FIFOs.
   */
  async stop(): Promise<void> {
    this.#begin();
    const runners = [...this.#owners.values()].map((owner) => owner.runner);
    const isWaiting = runners.map((runner) => runner.hurry()).includes(true);
    const timeout = isWaiting ? addTime(stopTimeout, timeoutAtStop) : stopTimeout;
    const all = Promise.all(runners.map((runner) => runner.idle()));
    let late: { cancel(): void } | undefined;
    const tooLong = new Promise<void>((resolve) => {
      late = this.#ports.timers.after(timeout, () => resolve());
    });
    await Promise.race([all, tooLong]);
    late?.cancel();
    for (const runner of runners) runner.kill();
    for (const reader of this.#readers.values()) reader.terminate();
    for (const sink of this.#sinks.values()) sink.close();
    this.#sinks.clear();
    this.#readers.clear();
  }

  #inOrder(work: () => void): void {
    if (this.#held === undefined) work();
    else this.#held.push(work);
  }

  #begin(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const work of held) work();
  }

  #owner(kind: NotifyKind, name: string): Owner {
    const key = keyOf(kind, name);
    const known = this.#owners.get(key);
    if (known !== undefined) return known;
    const owner: Owner = { runner: new SerialRunner(this.#ports, name), told: undefined };
    this.#owners.set(key, owner);
    return owner;
  }

  #notifyOf(kind: NotifyKind, name: string): NotifySettings | undefined {
    const from = kind === 'GROUP' ? this.#settings.groups : this.#settings.instances;
    return from.find((one) => one.name === name)?.notify;
  }

  #writeLine(kind: NotifyKind, name: string, word: FifoWord, priority: number): void {
    const line = `${kind} "${name}" ${word} ${priority}\n`;
    for (const sink of this.#sinks.values()) sink.write(line);
  }

  /**
   * Global FIFO first, then the VRRP one; both take the same lines. Each may have a reader of its
   * own.
   */
  #openSinks(): void {
    const wanted = [this.#settings.notifyFifo, this.#settings.vrrpNotifyFifo].filter(
      (fifo) => fifo !== undefined,
    );
    for (const [path, sink] of this.#sinks) {
      if (wanted.some((fifo) => fifo.path === path)) continue;
      this.#readers.get(path)?.terminate();
      this.#readers.delete(path);
      sink.close();
      this.#sinks.delete(path);
    }
    for (const fifo of wanted) {
      const { path, script } = fifo;
      if (this.#sinks.has(path)) continue;
      this.#sinks.set(path, openFifo(fifo, this.#ports.logger));
      if (script !== undefined) this.#startReader(path, script);
    }
  }

  #startReader(path: string, script: ScriptCommand): void {
    const command = { ...script, words: [...script.words, path] };
    const run = runWithDeadline(this.#ports, command, undefined, () => {
      this.#readers.delete(path);
      if (!this.#sinks.has(path)) return;
      this.#ports.logger.log('warning', 'reader of the notify FIFO ended', { path });
    });
    this.#readers.set(path, run);
  }
}

function specificScript(
  notify: NotifySettings | undefined,
  state: NotifyState,
): ScriptCommand | undefined {
  switch (state) {
    case 'MASTER':
      return notify?.master;
    case 'BACKUP':
      return notify?.backup;
    case 'FAULT':
      return notify?.fault;
    case 'STOP':
      return notify?.stop;
    case 'DELETED':
      return notify?.deleted;
  }
}

function keyOf(kind: NotifyKind, name: string): string {
  return `${kind} ${name}`;
}
