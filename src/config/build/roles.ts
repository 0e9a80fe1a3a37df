/** state, priority, preemption and timing of an instance (keepalived 2.2.7). */
import { centiseconds, microseconds, seconds, type Microseconds } from '../../base/time.js';
import type { IpFamily } from '../../base/ipAddress.js';
import type { InstanceSettings, VrrpVersion } from '../../vrrp/settings.js';
import { nearestWord } from '../nearest.js';
import { last, type Located } from '../table/row.js';
import { valueOf, type BuildContext } from './context.js';
import type { InstanceDefaults } from './globals.js';
import type { InstanceBlock, InstanceValues } from './instanceBlock.js';
import { nameOf } from './trackers.js';

type Roles = Pick<
  InstanceSettings,
  'priority' | 'initialState' | 'preempt' | 'nopreemptDisarmed' | 'preemptDelay'
>;

const ownerPriority = 255;

export function roles(block: InstanceBlock, strict: boolean, context: BuildContext): Roles {
  const { values } = block.value;
  const state = stateOf(values, context);
  const priority = priorityOf(block, state, context);
  const initialState = correctedState(state ?? 'BACKUP', state, priority, strict, values, context);
  const preempt = last(values.preempt);
  const wantsNopreempt = preempt?.value === false;
  const disarmedBy = disarming(initialState, priority);
  if (wantsNopreempt && disarmedBy !== undefined) {
    const message = `nopreempt has no effect beside ${disarmedBy}: this node does preempt`;
    context.problems.warning(preempt.at, 'nopreempt-disarmed', message, {
      expected: 'state BACKUP on both nodes',
    });
  }
  return {
    priority,
    initialState,
    preempt: !wantsNopreempt || disarmedBy !== undefined,
    nopreemptDisarmed: wantsNopreempt && disarmedBy !== undefined,
    preemptDelay: preemptDelay(
      values,
      delayDisarming(initialState, strict, wantsNopreempt),
      context,
    ),
  };
}

function disarming(state: 'MASTER' | 'BACKUP', priority: number): string | undefined {
  if (priority === ownerPriority) return 'priority 255';
  return state === 'MASTER' ? 'state MASTER' : undefined;
}

/** undefined: not said. Anything but MASTER is BACKUP, as in keepalived. */
function stateOf(
  values: InstanceValues,
  { problems }: BuildContext,
): 'MASTER' | 'BACKUP' | undefined {
  const located = last(values.state);
  if (located === undefined) return undefined;
  if (located.value === 'MASTER' || located.value === 'BACKUP') return located.value;
  const nearest = nearestWord(located.value, ['MASTER', 'BACKUP']);
  problems.warning(located.at, 'unknown-state', `state '${located.value}' is taken as BACKUP`, {
    ...(nearest === undefined ? {} : { nearest }),
    expected: 'MASTER or BACKUP',
    fix: { kind: 'line', line: 'state BACKUP' },
  });
  return 'BACKUP';
}

function priorityOf(
  block: InstanceBlock,
  state: 'MASTER' | 'BACKUP' | undefined,
  { problems }: BuildContext,
): number {
  const given = valueOf(block.value.values.priority);
  if (given !== undefined) return given;
  const isOwner = state === 'MASTER';
  if (block.value.mentioned.has('priority')) return isOwner ? ownerPriority : 100;
  const name = nameOf(block.value);
  const priority = isOwner ? ownerPriority : 100;
  const message = isOwner
    ? `without a priority, state MASTER makes '${name}' the owner of its addresses: priority 255`
    : `'${name}' has no priority: 100, and equal priorities are decided by the higher address`;
  problems.warning(block.at, isOwner ? 'owner-by-default' : 'default-priority', message, {
    expected: 'a line priority N, different on each node',
    fix: { kind: 'add', where: 'inside', lines: [`priority ${priority}`] },
  });
  return priority;
}

/** Strict mode: MASTER goes with priority 255, and with nothing else. */
function correctedState(
  state: 'MASTER' | 'BACKUP',
  given: 'MASTER' | 'BACKUP' | undefined,
  priority: number,
  strict: boolean,
  values: InstanceValues,
  { problems }: BuildContext,
): 'MASTER' | 'BACKUP' {
  const owner = priority === ownerPriority;
  if (given === undefined) return owner ? 'MASTER' : 'BACKUP';
  if (!strict || (state === 'MASTER') === owner) return state;
  const corrected = owner ? 'MASTER' : 'BACKUP';
  const at = last(values.state)?.at;
  if (at !== undefined) {
    problems.warning(at, 'strict-mode', `strict mode takes priority ${priority} as ${corrected}`, {
      expected: `state ${corrected}`,
      fix: { kind: 'line', line: `state ${corrected}` },
    });
  }
  return corrected;
}

interface Disarming {
  readonly why: string;
  readonly remedy: string;
}

function delayDisarming(
  state: 'MASTER' | 'BACKUP',
  strict: boolean,
  wantsNopreempt: boolean,
): Disarming | undefined {
  if (strict) return { why: 'in strict mode', remedy: 'strict_mode off' };
  if (state === 'MASTER') {
    return { why: 'beside state MASTER', remedy: 'state BACKUP on both nodes' };
  }
  return wantsNopreempt ? { why: 'beside nopreempt', remedy: 'one of them' } : undefined;
}

function preemptDelay(
  values: InstanceValues,
  disarmed: Disarming | undefined,
  { problems }: BuildContext,
): Microseconds {
  const located = last(values.preempt_delay);
  if (located === undefined || located.value === 0) return microseconds(0);
  if (disarmed === undefined) return seconds(located.value);
  const message = `preempt_delay has no effect ${disarmed.why}`;
  problems.warning(located.at, 'preempt-delay-disarmed', message, { expected: disarmed.remedy });
  return microseconds(0);
}

/** Version 2 carries whole seconds, version 3 up to 40.95 seconds in steps of 10 ms. */
export function advertInterval(
  values: InstanceValues,
  version: VrrpVersion,
  { problems }: BuildContext,
): Microseconds {
  const located = last(values.advert_int);
  if (located === undefined) return seconds(1);
  if (version === 2) return wholeSeconds(located, problems);
  if (located.value > 40.95) {
    const message = `VRRP version 3 carries an interval of at most 40.95 seconds`;
    problems.error(located.at, 'out-of-range', message, { expected: '0.01..40.95' });
  }
  const rounded = Math.max(1, Math.round(located.value * 100));
  if (Math.abs(rounded - located.value * 100) > 1e-6) {
    const message = `advert_int is taken as ${rounded / 100} seconds`;
    problems.warning(located.at, 'rounded', message, {
      expected: 'steps of 0.01 seconds',
      fix: { kind: 'line', line: `advert_int ${rounded / 100}` },
    });
  }
  return centiseconds(rounded);
}

function wholeSeconds(located: Located<number>, problems: BuildContext['problems']): Microseconds {
  const rounded = Math.max(1, Math.round(located.value));
  if (rounded !== located.value) {
    const message = `VRRP version 2 carries whole seconds: advert_int is taken as ${rounded}`;
    problems.warning(located.at, 'rounded', message, {
      expected: 'whole seconds, or version 3',
      fix: { kind: 'line', line: `advert_int ${rounded}` },
    });
  }
  return seconds(rounded);
}

/** IPv6 is version 3 unless version 2 is asked for in the instance. */
export function versionOf(
  values: InstanceValues,
  family: IpFamily,
  defaults: InstanceDefaults,
  { problems }: BuildContext,
): VrrpVersion {
  const located = last(values.version);
  const strict = valueOf(values.strict_mode) ?? defaults.strict;
  if (located === undefined) return family === 6 ? 3 : defaults.version;
  if (located.value === '3') return 3;
  if (family === 4 || !strict) return 2;
  problems.warning(located.at, 'strict-mode', 'strict mode takes IPv6 as version 3', {
    expected: 'version 3',
    fix: { kind: 'line', line: 'version 3' },
  });
  return 3;
}
