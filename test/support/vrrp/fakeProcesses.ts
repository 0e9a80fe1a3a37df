/** Child processes that end when a test says so, or at once with a fixed status. */
import type {
  ProcessEnd,
  ProcessSpawner,
  StartedProcess,
} from '../../../src/vrrp/scripts/process.js';
import type { ScriptCommand } from '../../../src/vrrp/settings.js';

export interface FakeProcess {
  readonly words: readonly string[];
  readonly signals: string[];
  readonly environment: ScriptCommand['environment'];
  end(how: ProcessEnd): void;
}

export class FakeProcesses implements ProcessSpawner {
  readonly started: FakeProcess[] = [];
  /** undefined: each runs until the test ends it. */
  endsWith: number | undefined;

  start(command: ScriptCommand, onEnd: (end: ProcessEnd) => void): StartedProcess {
    const signals: string[] = [];
    const { words, environment } = command;
    this.started.push({ words, environment, signals, end: onEnd });
    if (this.endsWith !== undefined) {
      const status = this.endsWith;
      queueMicrotask(() => onEnd({ kind: 'exited', status }));
    }
    return { signalGroup: (signal) => void signals.push(signal) };
  }

  /** The command lines, in order of their start. */
  get lines(): readonly string[] {
    return this.started.map((process) => process.words.join(' '));
  }
}
