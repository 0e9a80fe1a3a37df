/**
 * `keepstate flows kernel` and `flows events`: what `conntrack -L` and `conntrack -E` print,
 * without a daemon.
 */
import { eventGroup } from '../conntrack/constants.js';
import type { FlowPredicate } from '../conntrack/text/viewFilter.js';
import type { EventKind, FlowView } from '../conntrack/text/flowView.js';
import { listKernel, watchKernel } from '../conntrack/text/kernelMessages.js';
import { eventKindOf, flowFromMessage, portIdOf } from '../conntrack/text/messageView.js';
import { DecodeError } from '../base/errors.js';
import { errnoText } from '../base/errno.js';
import { refusedSocketText } from '../net/socket/outcome.js';
import type { FlowPrinter } from './flowPrinter.js';

export interface KernelListing {
  readonly shown: number;
  /** Messages that could not be read; never silently dropped. */
  readonly unreadable: number;
  /** What the kernel refused, for a person. */
  readonly problem?: string;
}

/** Prints each flow that passes. `family` is AF_INET, AF_INET6 or 0. */
export async function printKernelFlows(
  family: number,
  passes: FlowPredicate,
  printer: FlowPrinter,
): Promise<KernelListing> {
  const counts = { shown: 0, unreadable: 0 };
  const errno = await listKernel('flows', family, (message) => {
    printMessage(message, passes, printer, counts, undefined);
  });
  printer.end();
  return errno === undefined ? counts : { ...counts, problem: refusedText('list flows', errno) };
}

export interface KernelEvents {
  readonly counts: { shown: number; unreadable: number; lost: number };
  close(): void;
}

/** Prints events until closed; `kinds` chooses among NEW, UPDATE and DESTROY. */
export function followKernelEvents(
  kinds: readonly EventKind[],
  passes: FlowPredicate,
  printer: FlowPrinter,
  onProblem: (problem: string) => void,
): KernelEvents | string {
  const counts = { shown: 0, unreadable: 0, lost: 0 };
  const groupOf = {
    new: eventGroup.flowNew,
    update: eventGroup.flowUpdate,
    destroy: eventGroup.flowDestroy,
  };
  const groups = kinds.reduce((mask, kind) => mask | groupOf[kind], 0);
  const watch = watchKernel(groups, {
    onMessage: (message) => {
      printMessage(message, passes, printer, counts, eventKindOf(message));
    },
    onLost: () => {
      counts.lost += 1;
      onProblem('events were lost: the kernel produced them faster than they could be printed');
    },
    onError: (errno) => onProblem(`receiving events: ${errnoText(errno)}`),
  });
  if (typeof watch === 'number') return refusedText('follow events', watch);
  return { counts, close: () => watch.close() };
}

function printMessage(
  message: Uint8Array,
  passes: FlowPredicate,
  printer: FlowPrinter,
  counts: { shown: number; unreadable: number },
  event: EventKind | undefined,
): void {
  let flow: FlowView;
  try {
    flow = flowFromMessage(message);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    counts.unreadable += 1;
    return;
  }
  if (!passes(flow)) return;
  counts.shown += 1;
  printer.flow(flow, event, event === undefined ? undefined : portIdOf(message));
}

function refusedText(what: string, errno: number): string {
  return `cannot ${what}: ${refusedSocketText(errno, 'root, or the capability CAP_NET_ADMIN,')}`;
}
