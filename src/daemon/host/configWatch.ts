/**
 * What is wrong with the configuration although the daemon runs: a reload that was refused, and a
 * file on disk that would not start. Looked at three times a minute, read again only after it
 * changed.
 */
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { LoadResult } from '../../config/loadNode.js';
import { formatProblem } from '../../config/problem.js';
import type { ControlResult } from '../../control/protocol.js';
import { problem, type Finding } from '../problemTable/table.js';

export interface ConfigWatchPorts {
  readonly timers: Timers;
  readonly load: () => LoadResult;
  /**
   * Grows old when one of the files that were read last is another one: sizes and times as text.
   */
  readonly stamp: () => string;
  /** What a reload would do with it (reload.ts). */
  readonly plan: (loaded: LoadResult) => 'apply' | 'nothing' | 'refused';
}

const period = seconds(20);
const longestText = 300;

export class ConfigWatch {
  readonly #ports: ConfigWatchPorts;
  #stamp: string;
  #timer: ArmedTimer | undefined;
  #refused: string | undefined;
  #broken: string | undefined;

  constructor(ports: ConfigWatchPorts) {
    this.#ports = ports;
    this.#stamp = ports.stamp();
  }

  start(): void {
    this.#timer = this.#ports.timers.after(period, () => {
      this.look();
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  problems(): readonly Finding[] {
    const refused = this.#refused;
    if (refused !== undefined) {
      return [problem('reload-refused', `the last reload was refused or failed: ${refused}`)];
    }
    const broken = this.#broken;
    if (broken === undefined) return [];
    return [problem('config-broken', `the configuration file would not start: ${broken}`)];
  }

  reloaded(result: ControlResult): void {
    this.#stamp = this.#ports.stamp();
    this.#broken = undefined;
    this.#refused = result.ok ? undefined : short(result.message);
  }

  /** Whether the files of now would start. */
  look(): void {
    const stamp = this.#ports.stamp();
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const loaded = this.#ports.load();
    const plan = this.#ports.plan(loaded);
    // What was refused is undone: nothing is left to reload.
    if (plan === 'nothing') this.#refused = undefined;
    this.#broken = loaded.settings === undefined ? short(errorsOf(loaded)) : undefined;
  }
}

function errorsOf({ problems }: LoadResult): string {
  const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
  return errors.length === 0 ? 'it cannot be read' : errors.join('\n');
}

/** Of several problems the first. */
function short(text: string): string {
  const [first = '', ...others] = text.split('\n').filter((line) => /^\S/.test(line));
  const rest = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${first.slice(0, longestText)}${rest}`;
}
