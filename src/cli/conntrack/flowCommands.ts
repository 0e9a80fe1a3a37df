/**
 * The commands about the table of flows that answer at once: list, get, create, update, delete,
 * flush, count, counters.
 */
import { DecodeError } from '../../base/errors.js';
import {
  encodeCreate,
  encodeDelete,
  encodeFlush,
  encodeGet,
  encodeGetAgain,
  encodeList,
  encodeUpdate,
  listType,
  type FlowChange,
} from '../../conntrack/command/flowEncode.js';
import { flowTest } from '../../conntrack/command/flowMatch.js';
import {
  completeTuples,
  hasProtocolOfFamily,
  type FlowPattern,
} from '../../conntrack/command/flowPattern.js';
import type { AnswerListener, KernelSession } from '../../conntrack/command/kernelSession.js';
import {
  encodeCount,
  encodeStatistics,
  entriesOf,
  statisticsLine,
} from '../../conntrack/command/kernelStatistics.js';
import { labelBits, labelBytes } from '../../conntrack/text/labels.js';
import { MessageIndex, place } from '../../conntrack/text/messageIndex.js';
import { EINVAL, ENOENT } from '../../base/errno.js';
import { flowOutput } from './flowOutput.js';
import type { Invocation } from './invocation.js';
import type { CommandPorts } from './commandPorts.js';
import { failure } from './refusal.js';
import { operationFailed } from './report.js';

/** How many entries a command was about. */
export interface Outcome {
  readonly count: number;
}

export interface CommandContext {
  readonly ports: CommandPorts;
  /** Opened when first used; two, since a list is still running while its entries are changed. */
  readonly session: () => KernelSession;
  readonly changes: () => KernelSession;
}

export function listFlows(invocation: Invocation, context: CommandContext): Outcome {
  const { pattern, table, given } = invocation;
  const output = flowOutput(invocation, context.ports, { saveCommand: '-A', isDocument: true });
  const type = given.has('zero')
    ? listType.flowsZeroing
    : { conntrack: listType.flows, dying: listType.dying, unconfirmed: listType.unconfirmed }[
        table === 'expect' ? 'conntrack' : table
      ];
  let count = 0;
  eachFlow(invocation, context, pattern, type, (flow) => {
    count++;
    output.flow(flow);
    return !output.isGone;
  });
  output.end();
  return { count };
}

/** `use` returns false to stop. Throws Refusal. */
function eachFlow(
  invocation: Invocation,
  context: CommandContext,
  wanted: FlowPattern,
  type: number,
  use: (flow: MessageIndex) => boolean,
): void {
  const passes = flowTest(wanted);
  const flow = new MessageIndex();
  let unreadable = 0;
  const stop = new StopListing();
  const onMessage: AnswerListener = (view, bytes, at, length) => {
    try {
      flow.read(view, bytes, at, length);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      unreadable++;
      return;
    }
    if (passes(flow) && !use(flow)) throw stop;
  };
  const isList = invocation.form === '-L';
  const { family, mark, status } = wanted;
  try {
    const errno = context.session().ask((out) => {
      encodeList(out, type, family, mark, isList ? status : undefined);
    }, onMessage);
    if (errno !== 0) throw operationFailed(invocation.form, errno);
  } catch (error) {
    if (error !== stop) throw error;
  }
  if (unreadable > 0) throw failure(`${unreadable} messages of the kernel could not be read`);
}

/** Not an error: nobody reads what is listed. */
class StopListing extends Error {}

export function getFlow(invocation: Invocation, context: CommandContext): Outcome {
  const output = flowOutput(invocation, context.ports, { saveCommand: '-A', isDocument: true });
  const passes = flowTest(invocation.pattern);
  const flow = new MessageIndex();
  let count = 0;
  const errno = context.session().ask(
    (out) => encodeGet(out, invocation.pattern),
    (view, bytes, at, length) => {
      flow.read(view, bytes, at, length);
      if (!passes(flow)) return;
      count++;
      output.flow(flow);
    },
  );
  output.end();
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count };
}

/** -I and -A. */
export function createFlow(invocation: Invocation, context: CommandContext): Outcome {
  const pattern = completeTuples(invocation.pattern);
  if (!hasProtocolOfFamily(pattern)) throw operationFailed(invocation.form, EINVAL);
  const errno = context
    .changes()
    .ask((out) => encodeCreate(out, pattern, invocation.form === '-I'));
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count: 1 };
}

export function deleteFlows(invocation: Invocation, context: CommandContext): Outcome {
  const output = flowOutput(invocation, context.ports, { saveCommand: '-D', isDocument: false });
  let count = 0;
  eachFlow(invocation, context, invocation.pattern, listType.flows, (flow) => {
    const errno = context.changes().ask((out) => encodeDelete(out, flow));
    // Gone by itself since it was listed.
    if (errno === ENOENT) return true;
    if (errno !== 0) {
      output.end();
      throw operationFailed(invocation.form, errno);
    }
    count++;
    output.flow(flow);
    return true;
  });
  output.end();
  return { count };
}

export function updateFlows(invocation: Invocation, context: CommandContext): Outcome {
  const output = flowOutput(invocation, context.ports, { saveCommand: '-A', isDocument: false });
  const wanted = withoutChanges(invocation.pattern);
  const now = new MessageIndex();
  let count = 0;
  eachFlow(invocation, context, wanted, listType.flows, (flow) => {
    const change = changeOf(flow, invocation.pattern);
    if (change === undefined) return true;
    const errno = context.changes().ask((out) => encodeUpdate(out, flow, change));
    if (errno === ENOENT) return true;
    if (errno !== 0) {
      output.end();
      throw operationFailed(invocation.form, errno);
    }
    count++;
    context.changes().ask(
      (out) => encodeGetAgain(out, flow),
      (view, bytes, at, length) => {
        now.read(view, bytes, at, length);
        output.flow(now);
      },
    );
    return true;
  });
  output.end();
  return { count };
}

/** Which flows an update is about: what it sets does not choose them. */
function withoutChanges(pattern: FlowPattern): FlowPattern {
  const wanted = { ...pattern };
  delete wanted.status;
  delete wanted.mark;
  delete wanted.state;
  return wanted;
}

/** undefined where the flow is already as it shall be. */
function changeOf(flow: MessageIndex, pattern: FlowPattern): FlowChange | undefined {
  const change: { -readonly [Key in keyof FlowChange]: FlowChange[Key] } = {};
  const current = (slot: number): number => (flow.has(slot) ? flow.uint32(slot) : 0);
  const { timeoutSeconds, status, mark, state, originalTag, replyTag } = pattern;
  if (timeoutSeconds !== undefined && timeoutSeconds !== current(place.timeout)) {
    change.timeoutSeconds = timeoutSeconds;
  }
  if (status !== undefined) {
    const now = current(place.status);
    if ((now | status.value) !== now) change.status = (now | status.value) >>> 0;
  }
  if (mark !== undefined) {
    const now = current(place.mark);
    const next = ((now & ~mark.mask) ^ mark.value) >>> 0;
    if (next !== now) change.mark = next;
  }
  if (state !== undefined && (!flow.has(place.state) || flow.uint8(place.state) !== state)) {
    change.state = state;
  }
  if (originalTag !== undefined) change.originalTag = originalTag;
  if (replyTag !== undefined) change.replyTag = replyTag;
  const labels = labelsAfter(flow, pattern);
  if (labels !== undefined) change.labels = labels;
  return Object.keys(change).length === 0 ? undefined : change;
}

/**
 * undefined where the labels stay as they are; those that are added are set again where they are
 * set already.
 */
function labelsAfter(flow: MessageIndex, pattern: FlowPattern): Uint8Array | undefined {
  const { labelsAdded, labelsRemoved } = pattern;
  const removes = labelsRemoved !== undefined && flow.has(place.labels);
  if (labelsAdded === undefined && !removes) return undefined;
  const now = new Uint8Array(labelBytes);
  now.set(labelBits(flow).subarray(0, labelBytes));
  return now.map((byte, i) => (byte | (labelsAdded?.[i] ?? 0)) & ~(labelsRemoved?.[i] ?? 0));
}

export function flushFlows(invocation: Invocation, context: CommandContext): Outcome {
  const errno = context.changes().ask((out) => encodeFlush(out, invocation.pattern.family));
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count: 0 };
}

export function countFlows(invocation: Invocation, context: CommandContext): Outcome {
  let count = 0;
  const errno = context.session().ask(encodeCount, (_view, bytes, at, length) => {
    count = entriesOf(bytes.subarray(at, at + length));
  });
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  context.ports.write(Buffer.from(`${count}\n`));
  return { count };
}

export function showStatistics(invocation: Invocation, context: CommandContext): Outcome {
  const table = invocation.table === 'expect' ? 'expectations' : 'flows';
  let text = '';
  const errno = context.session().ask(
    (out) => encodeStatistics(out, table),
    (_view, bytes, at, length) => {
      text += `${statisticsLine(bytes.subarray(at, at + length), table)}\n`;
    },
  );
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  context.ports.write(Buffer.from(text));
  return { count: 0 };
}
