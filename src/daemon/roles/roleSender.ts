/** Tells the sync worker the roles of this node, which it says to the peer. Only what is news. */
import type { SyncCommand } from '../../sync/messages.js';
import type { NodeRoles, UnitRole } from '../../sync/wire/peerRoles.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';

export class RoleSender {
  readonly #post: (command: SyncCommand) => void;
  #sent = '';

  constructor(post: (command: SyncCommand) => void) {
    this.#post = post;
  }

  /** To be called at each role change, and a few times a second. */
  send(picture: RolePicture, bound: string | undefined): void {
    const roles = rolesOf(picture, bound);
    const text = JSON.stringify(roles);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#post({ kind: 'roles', roles });
  }

  /** Another worker knows nothing yet. */
  forget(): void {
    this.#sent = '';
  }
}

/** More would not fit into a hello; the bound unit is always among them. */
const mostUnits = 32;

/** Units by name; number and priority are those of the member with the lowest number. */
export function rolesOf(picture: RolePicture, bound: string | undefined): NodeRoles {
  const first = new Map<string, { readonly vrid: number; readonly effectivePriority: number }>();
  for (const instance of picture.instances) {
    const known = first.get(instance.unit);
    if (known === undefined || instance.vrid < known.vrid) first.set(instance.unit, instance);
  }
  const sorted = [
    ...picture.units.filter(({ name }) => name === bound),
    ...picture.units.filter(({ name }) => name !== bound),
  ];
  const units = sorted.slice(0, mostUnits).map(({ name, state, since }): UnitRole => {
    const member = first.get(name);
    const [vrid, priority] = [member?.vrid ?? 0, member?.effectivePriority ?? 0];
    return { name, vrid, state, since, priority };
  });
  const more = sorted.length - units.length;
  return { ...(bound === undefined ? {} : { bound }), units, ...(more === 0 ? {} : { more }) };
}
