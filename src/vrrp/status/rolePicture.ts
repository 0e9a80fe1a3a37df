/**
 * The few things of all roles that the daemon and the coordinator look at several times a second.
 * Pure.
 */
import type { Microseconds } from '../../base/time.js';
import type { StateName } from '../machine/actions.js';
import { livingMasterInFault } from '../machine/masterInFault.js';
import type { HeardMaster, UnitSettings, UnitState } from '../machine/state.js';

/** A unit as a picture or a snapshot is taken of it. */
export interface UnitView {
  readonly settings: UnitSettings;
  readonly state: UnitState;
}

/** Times are monotonic. */
export interface RolePicture {
  readonly units: readonly {
    readonly name: string;
    readonly state: StateName;
    readonly since: Microseconds;
  }[];
  readonly instances: readonly {
    readonly unit: string;
    readonly vrid: number;
    readonly effectivePriority: number;
    readonly lastAdvertSent: Microseconds | undefined;
    /** When the router that is MASTER while this one is not was heard last. */
    readonly masterHeard: Microseconds | undefined;
    /** That router; its priority is 0 when it gave up the role. */
    readonly master: HeardMaster | undefined;
    /** In FAULT: a router that is MASTER now, by its advertisements. */
    readonly masterInFault?: HeardMaster;
  }[];
}

/** Of 500 instances a snapshot takes 5 ms, this a tenth of one. */
export function takeRolePicture(units: Iterable<UnitView>, now: Microseconds): RolePicture {
  const picture = {
    units: [] as RolePicture['units'][number][],
    instances: [] as RolePicture['instances'][number][],
  };
  for (const { settings, state } of units) {
    picture.units.push({ name: settings.name, state: state.role, since: state.since });
    for (const each of settings.members) {
      const { name, virtualRouterId } = each;
      const member = state.members[name];
      if (member === undefined) continue;
      const masterInFault = livingMasterInFault(each, member, now);
      picture.instances.push({
        unit: settings.name,
        vrid: virtualRouterId,
        effectivePriority: member.effectivePriority,
        lastAdvertSent: member.lastAdvertSent,
        masterHeard: (member.master ?? member.weakerMaster)?.lastHeard,
        master: member.master ?? member.weakerMaster,
        ...(masterInFault === undefined ? {} : { masterInFault }),
      });
    }
  }
  return picture;
}
