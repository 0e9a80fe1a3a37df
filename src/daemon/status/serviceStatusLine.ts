/** What the service manager shows of a node: the role of each unit, and how replication stands. */
import { printable } from '../../base/printable.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import type { WorkerSupervisor } from '../worker/workerSupervisor.js';

type Engine = Pick<WorkerSupervisor, 'downBecause' | 'status'>;

/** `engine` is absent without a Sync block. */
export function serviceStatusLine(roles: RolePicture, engine: Engine | undefined): string {
  const words = roles.units.map((unit) => `${unit.name} ${unit.state}`).join(', ');
  const sync = engine === undefined ? '' : `; sync ${syncWord(engine)}`;
  return printable(`${words === '' ? 'no instance' : words}${sync}`);
}

function syncWord({ downBecause, status }: Engine): string {
  if (downBecause !== undefined) return 'down';
  return status?.state ?? 'starting';
}
