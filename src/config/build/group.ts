/** `vrrp_sync_group`: members that exist, each in one group. */
import type { SyncGroupSettings } from '../../vrrp/settings.js';
import { nearestWord } from '../nearest.js';
import type { groupRows } from '../keywords/trackerRows.js';
import type { BlockValue, Located } from '../table/row.js';
import { allItems, valueOf, type BuildContext } from './context.js';
import type { InstanceBlock } from './instanceBlock.js';
import { buildNotify } from './notify.js';
import { buildTracking, nameOf, type Trackers } from './trackers.js';

export type GroupBlock = Located<BlockValue<typeof groupRows>>;

export interface GroupInputs {
  readonly instances: readonly InstanceBlock[];
  readonly trackers: Trackers;
  readonly notifyPriorityChanges: boolean;
  readonly isBound: (name: string) => boolean;
  /** Member to group, filled while groups are built. */
  readonly groupOf: Map<string, string>;
}

export function buildGroup(
  block: GroupBlock,
  inputs: GroupInputs,
  context: BuildContext,
): SyncGroupSettings {
  const { values } = block.value;
  const name = nameOf(block.value);
  const members = membersOf(block, inputs, context);
  checkMembers(block, members, inputs, context);
  return {
    name,
    members,
    tracking: buildTracking(values, inputs.trackers, undefined, context),
    trackingWeight: valueOf(values.sync_group_tracking_weight) ?? false,
    notify: buildNotify(values, inputs.isBound(name), inputs.notifyPriorityChanges, context),
  };
}

function membersOf(
  block: GroupBlock,
  { instances, groupOf }: GroupInputs,
  { problems }: BuildContext,
): readonly string[] {
  const name = nameOf(block.value);
  const known = instances.map(({ value }) => nameOf(value));
  const members: string[] = [];
  for (const { value: names, at } of allItems(block.value.values.group)) {
    for (const member of names) {
      const other = groupOf.get(member);
      if (!known.includes(member)) {
        const nearest = nearestWord(member, known);
        const message = `sync group '${name}' names '${member}', which is no vrrp_instance`;
        const details = nearest === undefined ? { expected: 'a vrrp_instance name' } : { nearest };
        problems.error(at, 'missing-reference', message, details);
      } else if (other !== undefined) {
        const message = `'${member}' is already in sync group '${other}'`;
        problems.error(at, 'duplicate-member', message, {
          expected: 'one group for each instance',
        });
      } else {
        groupOf.set(member, name);
        members.push(member);
      }
    }
  }
  return members;
}

function checkMembers(
  block: GroupBlock,
  members: readonly string[],
  { instances }: GroupInputs,
  { problems }: BuildContext,
): void {
  const name = nameOf(block.value);
  const named = allItems(block.value.values.group).flatMap(({ value }) => value);
  if (named.length === 0) {
    const message = `sync group '${name}' lacks its members`;
    problems.error(block.at, 'missing-keyword', message, { expected: 'group { NAME ... }' });
    return;
  }
  if (named.length === 1) {
    const message = `sync group '${name}' has a single member; it changes nothing for it`;
    problems.warning(block.at, 'single-member', message, { expected: 'two members or more' });
  }
  const priorities = new Map<number, string>();
  for (const { value } of instances) {
    const priority = valueOf(value.values.priority);
    const isMember = members.includes(nameOf(value));
    if (isMember && priority !== undefined) priorities.set(priority, nameOf(value));
  }
  if (priorities.size > 1) {
    const list = [...priorities].map(([priority, member]) => `${member} ${priority}`).join(', ');
    const message = `members of sync group '${name}' have different priorities (${list}): each could elect another master`;
    problems.warning(block.at, 'group-priorities', message, { expected: 'one priority for all' });
  }
}
