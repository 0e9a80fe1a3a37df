/** What a unit tells others, in its own order: scripts and FIFOs, the role coordinator, the log. */
import { formatIp } from '../base/ipAddress.js';
import type { Logger } from '../base/logger.js';
import { microseconds, subtractTime, type Microseconds } from '../base/time.js';
import type { UnitAction } from './machine/actions.js';
import type { UnitState } from './machine/state.js';
import type { Notifier } from './notify/notifier.js';
import type { RoleChange, RouterObserver } from './routerPorts.js';
import type { InstanceSettings } from './settings.js';

/** Asks nothing of the kernel; told after what the unit asked of the kernel before. */
export type News =
  | Extract<
      UnitAction,
      {
        kind:
          | 'notify'
          | 'notifyGroup'
          | 'notifyLowerPriority'
          | 'priorityChanged'
          | 'preemptionWanted'
          | 'preemptionWithdrawn'
          | 'masterSilent'
          | 'otherMasterSeen';
      }
    >
  | (Extract<UnitAction, { kind: 'roleChanged' }> & Pick<RoleChange, 'silence'>);

export interface Listeners {
  readonly logger: Logger;
  readonly observer: RouterObserver;
  readonly notifier: () => Notifier;
}

/** The members as they are when the news is told; `because` as it was when the news came. */
export interface Members {
  notify(instance: string): InstanceSettings['notify'] | undefined;
  priority(instance: string): number;
  /** Why the instance, or (absent) the unit, is in its state. */
  because(instance?: string): string;
  /** No other MASTER was seen for a while: this one is worth a line. */
  isNewRival(instance: string): boolean;
}

export function publishNews(
  news: News,
  unit: string,
  listeners: Listeners,
  members: Members,
): void {
  const { observer, logger } = listeners;
  const notifier = listeners.notifier();
  switch (news.kind) {
    case 'notify': {
      const { instance: name, state, priority } = news;
      const event = { name, state, priority, because: members.because(name) };
      notifier.tell({ kind: 'INSTANCE', ...event }, members.notify(name));
      return;
    }
    case 'notifyGroup': {
      const { unit: name, state } = news;
      notifier.tell({ kind: 'GROUP', name, state, priority: 0, because: members.because() });
      return;
    }
    case 'notifyLowerPriority':
      notifier.lowerPriorityReceived(news.instance, members.priority(news.instance));
      return;
    case 'priorityChanged': {
      const { instance, from, to, state } = news;
      logger.log('notice', 'effective priority changed', { instance, from, to });
      if (state === 'MASTER' || state === 'BACKUP') notifier.priorityChanged(instance, state, to);
      return;
    }
    case 'roleChanged':
      observer.roleChanged(news);
      return;
    case 'preemptionWanted':
      observer.preemptionWanted(news);
      return;
    case 'preemptionWithdrawn':
      observer.preemptionWithdrawn(news);
      return;
    case 'masterSilent':
      observer.masterSilent(unit);
      return;
    case 'otherMasterSeen':
      if (members.isNewRival(news.instance)) {
        logger.log('warning', 'another router of lower rank is MASTER too', {
          unit,
          instance: news.instance,
          from: formatIp(news.from),
          priority: news.priority,
        });
      }
      observer.otherMasterSeen(news);
  }
}

/**
 * How long the master had been silent: since the last advertisement that any member of `unit`, as
 * it was before it took the role at `at`, accepted of its master; undefined where none was heard,
 * or one gave the role up or was preempted.
 */
export function masterSilence({ members }: UnitState, at: Microseconds): Microseconds | undefined {
  const states = Object.values(members);
  const isSuccession = states.some(
    ({ master, weakerMaster }) => weakerMaster !== undefined || master?.priority === 0,
  );
  const heard = states.flatMap(({ master }) => (master === undefined ? [] : [master.lastHeard]));
  if (isSuccession || heard.length === 0) return undefined;
  return subtractTime(at, microseconds(Math.max(...heard)));
}
