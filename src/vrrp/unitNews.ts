/** What a unit tells others, in its own order: scripts and FIFOs, the role coordinator, the log. */
import { formatIp } from '../base/ipAddress.js';
import type { Logger } from '../base/logger.js';
import type { UnitAction } from './machine/actions.js';
import type { Notifier } from './notify/notifier.js';
import type { RouterObserver } from './routerPorts.js';
import type { InstanceSettings } from './settings.js';

/** Asks nothing of the kernel; told after what the unit asked of the kernel before. */
export type News = Extract<
  UnitAction,
  {
    kind:
      | 'notify'
      | 'notifyGroup'
      | 'notifyLowerPriority'
      | 'priorityChanged'
      | 'roleChanged'
      | 'preemptionWanted'
      | 'preemptionWithdrawn'
      | 'masterSilent'
      | 'otherMasterSeen';
  }
>;

export interface Listeners {
  readonly logger: Logger;
  readonly observer: RouterObserver;
  readonly notifier: () => Notifier;
}

/** The members as they are when the news is told. */
export interface Members {
  notify(instance: string): InstanceSettings['notify'] | undefined;
  priority(instance: string): number;
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
      notifier.tell({ kind: 'INSTANCE', name, state, priority }, members.notify(name));
      return;
    }
    case 'notifyGroup':
      notifier.tell({ kind: 'GROUP', name: news.unit, state: news.state, priority: 0 });
      return;
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
