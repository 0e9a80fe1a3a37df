/**
 * Validate, compare, apply: a file with an error changes nothing, and what only a restart can
 * change is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { ConfigWatch } from './host/configWatch.js';
import type { LoadResult } from '../config/loadNode.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import { formatProblem } from '../config/problem.js';
import { refusal, type ControlResult } from '../control/protocol.js';

/** What keepalived and conntrackd, too, only read at start. Names as the operator knows them. */
const fixed: readonly (readonly [string, (settings: NodeSettings) => unknown])[] = [
  ['run_user', (s) => s.runUser],
  ['net_namespace', (s) => s.netNamespace],
  ['control_socket', (s) => s.keepstate.controlPath],
  ['state_directory', (s) => s.keepstate.stateDirectory],
  ['pid_file', (s) => s.keepstate.pidFile],
  ['history_size', (s) => s.keepstate.historySize],
  ['LockFile', (s) => s.general.lockFile],
  ['LogFile', (s) => s.general.logFile],
  ['Syslog', (s) => s.general.syslogFacility],
  ['UNIX Path', (s) => s.general.unixPath],
  ['vrrp_priority, vrrp_rt_priority, Nice or Scheduler', (s) => s.scheduling],
  ['whether there is a Sync block', (s) => s.sync !== undefined],
  ['whether there is a Stats block', (s) => s.statistics !== undefined],
  ['which role drives the sync engine', (s) => boundName(s)],
];

export type ReloadPlan =
  | { readonly kind: 'apply'; readonly settings: NodeSettings }
  | { readonly kind: 'nothing'; readonly settings: NodeSettings }
  | { readonly kind: 'refused'; readonly refusal: ControlResult };

export function planReload(current: NodeSettings, loaded: LoadResult): ReloadPlan {
  const { settings } = loaded;
  if (settings === undefined) {
    const errors = loaded.problems.filter((problem) => problem.severity === 'error');
    return {
      kind: 'refused',
      refusal: refusal(
        'bad-configuration',
        errors.map(formatProblem).join('\n'),
        'nothing was changed; repair the file and reload again',
      ),
    };
  }
  const changed = fixed.filter(([, read]) => !isDeepStrictEqual(read(current), read(settings)));
  if (changed.length > 0) {
    return {
      kind: 'refused',
      refusal: refusal(
        'needs-restart',
        `a reload cannot change: ${changed.map(([name]) => name).join(', ')}`,
        'nothing was changed; restart the daemon for this',
      ),
    };
  }
  return { kind: isDeepStrictEqual(current, settings) ? 'nothing' : 'apply', settings };
}

/** One reload at a time. */
export class Reloader {
  readonly #load: () => LoadResult;
  readonly #logger: Logger;
  readonly #current: () => NodeSettings;
  readonly #apply: (settings: NodeSettings) => Promise<string>;
  readonly #watch: ConfigWatch | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** The last one stopped half way: the next applies the whole again, changed or not. */
  #isHalfDone = false;

  constructor(options: {
    readonly load: () => LoadResult;
    readonly logger: Logger;
    readonly current: () => NodeSettings;
    readonly apply: (settings: NodeSettings) => Promise<string>;
    /** Learns what became of each reload. */
    readonly watch?: ConfigWatch;
  }) {
    this.#load = options.load;
    this.#logger = options.logger;
    this.#current = options.current;
    this.#apply = options.apply;
    this.#watch = options.watch;
  }

  /** Resolves always; what went wrong is logged too. */
  reload(): Promise<ControlResult> {
    const next = this.#running
      .then(() => this.#once())
      .catch((error: unknown) => this.#failed(error))
      .then((result) => {
        this.#watch?.reloaded(result);
        return result;
      });
    this.#running = next;
    return next;
  }

  #failed(error: unknown): ControlResult {
    const reason = errorText(error);
    this.#logger.log('error', 'reload failed', { reason });
    return refusal(
      'reload-failed',
      `the reload failed: ${reason}`,
      'what it had not reached yet is as before; remove the cause and reload again',
    );
  }

  async #once(): Promise<ControlResult> {
    const plan = planReload(this.#current(), this.#load());
    if (plan.kind === 'refused') {
      const reason = plan.refusal.ok ? '' : plan.refusal.message;
      this.#logger.log('error', 'reload refused: nothing was changed', { reason });
      return plan.refusal;
    }
    if (plan.kind === 'nothing' && !this.#isHalfDone) {
      this.#logger.log('notice', 'reload: the configuration is the same');
      return { ok: true, result: { message: 'the configuration is the same: nothing to do' } };
    }
    this.#isHalfDone = true;
    const message = await this.#apply(plan.settings);
    this.#isHalfDone = false;
    this.#logger.log('notice', 'reload complete', { reason: message });
    return { ok: true, result: { message } };
  }
}

function boundName({ binding }: NodeSettings): string | undefined {
  return binding.kind === 'none' ? undefined : binding.name;
}
