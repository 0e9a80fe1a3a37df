/**
 * Random lives of the role machine: commands, reports, facts of the peer, timers, restarts of the
 * engine and of the peer in any order. A model of the kernel and of the peer stands on the other
 * side of the actions: it answers works in any order, and says what must never happen. In the end
 * everything is answered, and the machine must come to rest.
 */
import { microseconds, seconds } from '../../../src/base/time.js';
import {
  nothingCommitted,
  type CommitSummary,
  type SyncReport,
} from '../../../src/sync/messages.js';
import type { Stance } from '../../../src/sync/local/internalCache.js';
import { roleStep } from '../../../src/sync/role/machine.js';
import type { RoleAction } from '../../../src/sync/role/roleActions.js';
import type { PurgeOutcome, RoleEvent, RoleTimer } from '../../../src/sync/role/roleEvents.js';
import {
  initialRole,
  isAtRest,
  type RoleSettings,
  type RoleState,
  type WorkerRole,
} from '../../../src/sync/role/roleState.js';
import { SeededRandom } from '../base/seededRandom.js';

type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never;
type Input = Untimed<RoleEvent>;
type Work = Extract<RoleAction, { readonly work: number }>;

/** What touches flows of the kernel for a role. */
const touching = new Set<Work['kind']>(['commit', 'undo', 'mergePass', 'openWindows']);

export interface RoleLifeResult {
  readonly violations: readonly string[];
  readonly events: number;
  readonly purges: number;
  readonly takeovers: number;
  readonly restarts: number;
}

export class RandomRoleLife {
  readonly violations: string[] = [];
  readonly #random: SeededRandom;
  readonly #settings: RoleSettings;
  #state: RoleState = initialRole;
  #now = 0;
  #epoch = 0;
  /** The last role that was given. */
  #role: WorkerRole = 'INIT';
  readonly #works: Work[] = [];
  readonly #timers = new Map<RoleTimer, number>();
  readonly #counts = { events: 0, purges: 0, takeovers: 0, restarts: 0 };
  /** A living MASTER was heard since the role left; its kernel can hold what is left over here. */
  #isMasterAlive = false;
  #isVerbPurge = false;
  /** Of the internal cache: a fresh one has `own`. */
  #stance: Stance = 'own';
  /** What the last role still has to bring about; `epoch` of the commit that is to be told. */
  readonly #owed = new Map<'commit' | 'completion' | 'purge', number>();
  #ended = new Set<number>();

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#settings = {
      purgeTimeout: seconds(60),
      internalBypass: this.#chance(4),
      injectsDirectly: this.#chance(5),
    };
  }

  run(events: number): RoleLifeResult {
    this.#input({ kind: 'engineStarted' });
    for (let i = 0; i < events; i++) this.#something();
    this.#settle();
    return { violations: this.violations, ...this.#counts };
  }

  #chance(of: number): boolean {
    return this.#random.below(of) === 0;
  }

  #something(): void {
    this.#now += this.#random.below(20_000_000);
    const choice = this.#random.below(20);
    if (choice < 7) this.#answerSomeWork();
    else if (choice < 10) this.#fireDueTimers();
    else if (choice < 11) this.#complete();
    else if (choice < 15) this.#command();
    else if (choice < 17) this.#peer();
    else if (choice < 18) this.#restart();
    else this.#rarely();
  }

  #command(): void {
    // Some come late, of a role that is over.
    const isStale = this.#chance(6);
    const next = isStale ? this.#state.epoch - 1 - this.#random.below(3) : ++this.#epoch;
    const given = (role: WorkerRole): void => {
      if (isStale) return;
      this.#role = role;
      this.#isMasterAlive = false;
      this.#owed.clear();
    };
    switch (this.#random.below(9)) {
      case 0:
        if (this.#role !== 'MASTER' || isStale) this.#input({ kind: 'preCommit', epoch: next });
        return;
      case 1:
        this.#input({ kind: 'undoPreCommit', epoch: next });
        return;
      case 2:
      case 3: {
        // With the epoch of the commit in advance, or anew.
        const isPrepared = !isStale && this.#state.stance === 'committingAhead';
        given('MASTER');
        const of = isPrepared ? this.#state.epoch : next;
        if (!isStale) this.#owed.set('commit', of);
        this.#input({ kind: 'becomeMaster', epoch: of, preCommitted: isPrepared });
        return;
      }
      case 4:
        if (!isStale) this.#complete();
        return;
      case 5:
      case 6: {
        given('BACKUP');
        if (!isStale) this.#owed.set('purge', next);
        const token = this.#random.below(1_000);
        const stepDown = this.#chance(2) ? { stepDown: { masterFor: seconds(5), token } } : {};
        this.#input({ kind: 'becomeBackup', epoch: next, peerHeard: false, ...stepDown });
        return;
      }
      case 7:
        given('FAULT');
        if (!isStale) this.#owed.set('purge', next);
        this.#input({ kind: 'becomeFault', epoch: next });
        return;
      default:
        if (this.#state.role === 'MASTER' && !isStale) {
          this.#input({ kind: 'mergeAfterSplit', epoch: this.#state.epoch });
        }
    }
  }

  /** The addresses are up; the main thread waits for the commit first. */
  #complete(): void {
    const { role, epoch } = this.#state;
    if (role !== 'MASTER' || this.#owed.has('commit')) return;
    this.#owed.set('completion', epoch);
    this.#input({ kind: 'takeoverComplete', epoch });
  }

  /** The peer comes, goes, is greeted, starts again; another MASTER is heard. */
  #peer(): void {
    if (this.#chance(2)) {
      if (this.#state.role !== 'MASTER') this.#isMasterAlive = true;
      this.#input({ kind: 'otherMasterHeard', epoch: this.#state.epoch });
      return;
    }
    const abilities = ['compares', 'cannot', 'unknown'] as const;
    this.#input({
      kind: 'peer',
      isKeepstate: this.#chance(2),
      ability: abilities[this.#random.below(3)] ?? 'unknown',
      isCaughtUp: this.#chance(2),
    });
  }

  #rarely(): void {
    const events: readonly Input[] = [
      { kind: 'yieldIgnored' },
      { kind: 'yieldUnproven' },
      { kind: 'wasMaster', until: microseconds(this.#now) },
      { kind: 'purgeAsked' },
      { kind: 'purgeForgotten' },
      { kind: 'stepDownAnswered' },
      { kind: 'followFailed', because: 'no socket' },
    ];
    const event = events[this.#random.below(events.length)];
    if (event === undefined) return;
    if (event.kind === 'purgeAsked' && this.#state.purge.due === undefined)
      this.#isVerbPurge = true;
    this.#input(event);
  }

  #answerSomeWork(): void {
    const at = this.#random.below(Math.max(1, this.#works.length));
    const work = this.#works[at];
    if (work === undefined) return;
    // Whoever ends works reports when they have ended.
    if (work.kind === 'stop') this.#endTouching(work.work);
    if (!this.#works.includes(work)) return;
    this.#works.splice(this.#works.indexOf(work), 1);
    this.#answer(work, this.#chance(6));
  }

  /** Works that were begun before it end first, ended early. */
  #endTouching(before: number): void {
    for (const work of this.#works.filter((one) => touching.has(one.kind) && one.work < before)) {
      this.#works.splice(this.#works.indexOf(work), 1);
      this.#answer(work, false, true);
    }
  }

  #answer(action: Work, fails: boolean, cancelled = false): void {
    const { work } = action;
    this.#ended.add(work);
    const because = 'the kernel refused';
    switch (action.kind) {
      case 'stop':
        this.#input({ kind: 'stopped', work });
        return;
      case 'commit': {
        const { epoch } = action;
        const summary: CommitSummary = { ...nothingCommitted, cancelled };
        if (fails) this.#input({ kind: 'commitFailed', work, epoch, because, isFollowing: true });
        else this.#input({ kind: 'committed', work, epoch, summary });
        return;
      }
      case 'undo':
        this.#input({ kind: 'undone', work, removed: 0, ...(fails ? { because } : {}) });
        return;
      case 'resync':
        this.#input({ kind: 'resynced', work, ...(fails ? { because } : {}) });
        return;
      case 'readLeftovers':
      case 'renewLeftovers':
        this.#input({ kind: 'leftoversRead', work });
        return;
      case 'purge':
        this.#input({ kind: 'purgeEnded', work, outcome: this.#outcome(action.by, fails) });
        return;
      case 'openWindows':
        if (fails) this.#input({ kind: 'mergeBroke', work, because });
        else this.#input({ kind: 'windowsOpened', work, cancelled });
        return;
      case 'mergePass':
        if (fails) this.#input({ kind: 'mergeBroke', work, because });
        else {
          const found = { created: 1, failed: 0, cancelled, followed: 0 };
          this.#input({ kind: 'mergePassed', work, ...found });
        }
    }
  }

  #outcome(by: 'content' | 'completion', fails: boolean): PurgeOutcome {
    if (by === 'completion')
      return fails ? { kind: 'failed', because: 'x' } : { kind: 'all', removed: 1 };
    if (fails) return { kind: 'undecided', because: 'x' };
    const outcomes: readonly PurgeOutcome[] = [
      { kind: 'cannot' },
      { kind: 'compared', removed: 1, neither: 1 },
      { kind: 'compared', removed: 1, neither: 0 },
    ];
    return outcomes[this.#random.below(3)] ?? { kind: 'cannot' };
  }

  #fireDueTimers(): void {
    for (const [timer, due] of [...this.#timers]) {
      if (due > this.#now || this.#timers.get(timer) !== due) continue;
      this.#timers.delete(timer);
      this.#input({ kind: 'timer', timer });
    }
  }

  /** As a reload does, once nothing is being done, or as the end of a worker does, at any time. */
  #restart(): void {
    this.#counts.restarts++;
    if (this.#chance(2)) this.#comeToRest();
    this.#input({ kind: 'closed' });
    this.#works.length = 0;
    this.#timers.clear();
    this.#stance = 'own';
    // What the next engine is given has gone through text.
    this.#state = { ...initialRole, ...(JSON.parse(JSON.stringify(this.#state)) as RoleState) };
    this.#input({ kind: 'engineStarted' });
  }

  #comeToRest(): void {
    for (let i = 0; i < 200 && !isAtRest(this.#state); i++) {
      this.#input({ kind: 'restartWanted' });
      this.#answerSomeWork();
    }
    if (!isAtRest(this.#state)) this.#violate('a restart waits for ever');
  }

  /** All works are answered, the peer is there, time passes. */
  #settle(): void {
    if (this.#state.stance === 'committingAhead' && this.#role !== 'MASTER') {
      this.#input({ kind: 'undoPreCommit', epoch: ++this.#epoch });
    }
    for (let i = 0; i < 500; i++) {
      const work = this.#works.shift();
      if (work === undefined) break;
      if (work.kind === 'stop') this.#endTouching(work.work);
      this.#answer(work, false);
    }
    for (const what of this.#owed.keys()) this.#violate(`the ${what} of the last role never came`);
    const { course, role, masterSince } = this.#state;
    if (course.stage !== 'rest' && course.stage !== 'prepared') {
      this.#violate(`does not come to rest: ${course.stage}`);
    }
    if (role !== this.#role) this.#violate(`is ${role} where the last role is ${this.#role}`);
    if ((role === 'MASTER') !== (masterSince !== undefined)) this.#violate('MASTER without a time');
    const isOwn = this.#state.stance === 'own' || this.#state.stance === 'leavingAhead';
    if (role !== 'MASTER' && !isOwn) this.#violate(`rests with the stance ${this.#state.stance}`);
  }

  #input(input: Input): void {
    this.#counts.events++;
    const at = microseconds(this.#now);
    // The parts of a union of events, each with its time added, are that union again.
    const event = { ...input, at } as RoleEvent;
    const { state, actions } = roleStep(this.#state, event, this.#settings);
    const before = this.#state;
    this.#state = state;
    if (state.purge.due !== undefined && state.purge.waitsForMaster) this.#owed.delete('purge');
    if (state.purge.due === undefined && before.purge.due !== undefined) this.#isVerbPurge = false;
    if (state.purge.waitsForMaster && state.purge.due !== undefined) this.#isVerbPurge = false;
    for (const action of actions) this.#carryOut(action);
    if (this.#stance !== this.#state.stance && input.kind !== 'closed') {
      this.#violate(`the cache has the stance ${this.#stance} in place of ${this.#state.stance}`);
    }
  }

  #carryOut(action: RoleAction): void {
    if (action.kind === 'setStance') this.#stance = action.stance;
    if (action.kind === 'startTimer') this.#timers.set(action.timer, this.#now + action.duration);
    else if (action.kind === 'stopTimer') this.#timers.delete(action.timer);
    else if (action.kind === 'reportTakeover') this.#completed(action.epoch);
    else if (action.kind === 'report') this.#reported(action.report);
    else if (action.kind === 'purge') this.#purge(action);
    else if (action.kind === 'stopFollowing' && action.isCounted) {
      this.#input({ kind: 'followed', created: 1 });
    }
    if (!('work' in action)) return;
    if (this.#ended.has(action.work)) this.#violate(`the number ${action.work} is given twice`);
    this.#works.push(action);
    if (action.kind === 'commit' || action.kind === 'undo') this.#mustBeAlone(action);
  }

  #completed(epoch: number): void {
    this.#counts.takeovers++;
    if (this.#owed.get('completion') === epoch) this.#owed.delete('completion');
  }

  #reported(report: SyncReport): void {
    if (report.kind !== 'committed') return;
    if (this.#owed.get('commit') === report.epoch) this.#owed.delete('commit');
  }

  /** Two works for a role never touch the kernel at the same time. */
  #mustBeAlone(action: Work): void {
    const others = this.#works.filter(
      ({ kind, work }) => (kind === 'commit' || kind === 'undo') && work !== action.work,
    );
    if (others.length > 0) this.#violate(`${action.kind} begins beside ${others[0]?.kind ?? ''}`);
  }

  /** Nothing is purged that no living MASTER holds. */
  #purge({ by }: Extract<RoleAction, { kind: 'purge' }>): void {
    this.#counts.purges++;
    const { stance, purge, peer, role } = this.#state;
    if (stance === 'committingAhead') this.#violate('a purge while flows are committed in advance');
    if (this.#isVerbPurge || !purge.waitsForMaster) return;
    if (role === 'MASTER') this.#violate('a MASTER purges');
    // Under the bypass the taking back counts the MASTER as heard: the role did not come.
    if (!this.#isMasterAlive && !this.#settings.internalBypass) {
      this.#violate('a purge although no other MASTER was heard');
    }
    if (purge.heldUntil !== undefined) this.#violate('a purge before the MASTER has merged');
    if (by === 'completion' && !(peer.isCaughtUp && (purge.isBlind || peer.ability === 'cannot'))) {
      this.#violate('a purge by completion although the peer can be asked, or is not caught up');
    }
  }

  #violate(what: string): void {
    this.violations.push(what);
  }
}
