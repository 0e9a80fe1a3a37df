/** Trackers that do nothing, or not what they seem to. */
import type { WarningInputs } from './warningInputs.js';
import { allItems } from '../build/context.js';
import { nameOf } from '../build/trackers.js';
import type { InstanceBlock } from '../build/instanceBlock.js';
import type { InstanceSettings } from '../../vrrp/settings.js';
import type { Position } from '../problem.js';

const ownerPriority = 255;

export function warnAboutTracking(inputs: WarningInputs): void {
  warnAboutUnused(inputs);
  warnAboutWeightsInGroups(inputs);
  for (const block of inputs.root.vrrp_instance) warnAboutWeights(block, inputs);
}

function warnAboutUnused({ root, problems }: WarningInputs): void {
  const blocks = [...root.vrrp_instance, ...root.vrrp_sync_group];
  const used = new Set(
    blocks.flatMap(({ value }) =>
      allItems([
        ...value.values.track_script,
        ...value.values.track_file,
        ...value.values.track_process,
        ...value.values.track_target,
      ]).map((item) => item.value.name),
    ),
  );
  const { vrrp_script, track_file, vrrp_track_process, vrrp_track_target } = root;
  const trackers = [...vrrp_script, ...track_file, ...vrrp_track_process, ...vrrp_track_target];
  for (const block of trackers) {
    const name = nameOf(block.value);
    if (used.has(name)) continue;
    const message = `nothing tracks ${block.keyword} '${name}'`;
    problems.warning(block.at, 'unused', message, { expected: 'a track_ line that names it' });
  }
}

/**
 * Members with different priorities could elect different masters, so their weights do not count.
 */
function warnAboutWeightsInGroups(inputs: WarningInputs): void {
  for (const group of inputs.settings.vrrp.groups) {
    if (group.trackingWeight) continue;
    for (const block of inputs.root.vrrp_instance) {
      if (group.members.includes(nameOf(block.value))) warnAboutMember(block, group.name, inputs);
    }
  }
}

/**
 * What keepalived says of an address owner, and what neither of the two can do beside nopreempt.
 */
function warnAboutWeights(block: InstanceBlock, { settings, problems }: WarningInputs): void {
  const instance = instanceOf(block, settings);
  if (instance === undefined) return;
  if (instance.priority === ownerPriority) {
    for (const { at, name } of weighted(block, instance)) {
      const message = `the weight of '${name}' is ignored: priority 255 owns its addresses`;
      problems.warning(at, 'weight-beside-owner', message, { expected: 'a priority below 255' });
    }
  } else if (!instance.preempt) {
    for (const { at, name } of weighted(block, instance)) {
      const message = `the weight of '${name}' moves the role only to a peer that preempts: with nopreempt on both nodes it changes nothing`;
      problems.warning(at, 'weight-beside-nopreempt', message, {
        expected: 'tracking without a weight (FAULT), or no nopreempt',
      });
    }
  }
}

function warnAboutMember(
  block: InstanceBlock,
  group: string,
  { settings, problems }: WarningInputs,
): void {
  const instance = instanceOf(block, settings);
  if (instance === undefined) return;
  for (const { at, name } of weighted(block, instance)) {
    const message = `the weight of '${name}' does not count in a member of sync group '${group}'`;
    problems.warning(at, 'weight-in-group', message, {
      expected: 'the tracking in the group, or sync_group_tracking_weight',
    });
  }
}

function instanceOf(
  block: InstanceBlock,
  settings: WarningInputs['settings'],
): InstanceSettings | undefined {
  return settings.vrrp.instances.find(({ name }) => name === nameOf(block.value));
}

/** The items of track_* lines whose weight is not 0. */
function weighted(
  block: InstanceBlock,
  { tracking }: InstanceSettings,
): readonly { readonly at: Position; readonly name: string }[] {
  const { values } = block.value;
  const tracked = [
    [values.track_interface, tracking.interfaces],
    [values.track_script, tracking.scripts],
    [values.track_file, tracking.files],
    [values.track_process, tracking.processes],
    [values.track_target, tracking.targets ?? []],
  ] as const;
  return tracked.flatMap(([lists, references]) =>
    allItems(lists)
      .filter(({ value: { name } }) =>
        references.some((reference) => reference.name === name && reference.weight !== 0),
      )
      .map(({ value, at }) => ({ at, name: value.name })),
  );
}
