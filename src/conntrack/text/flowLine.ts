/**
 * The line that `conntrack -L`, `conntrack -E` and `conntrackd -i/-e` print for one flow, field by
 * field in the order of libnetfilter_conntrack 1.0.9. Each field is followed by one space; the last
 * one is removed.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { flowStatus, type EventKind, type FlowView, type TupleView } from './flowView.js';
import { hasPorts, isIcmp, layer3Name, layer4Name, protocolNumbers, stateName } from './names.js';
import { ctime } from './ctime.js';

export interface LineOptions {
  readonly event?: EventKind;
  /** `-o extended`: layer 3 name and number in front. */
  readonly extended?: boolean;
  /** `-o id`. */
  readonly id?: boolean;
  /** `-o ktimestamp`. */
  readonly kernelTimestamp?: boolean;
  /** conntrackd's caches print no timeout. */
  readonly withoutTimeout?: boolean;
  /** Nanoseconds since 1970, for `delta-time` of a living flow. */
  readonly now?: bigint;
}

const eventTags: Readonly<Record<EventKind, string>> = {
  new: '    [NEW] ',
  update: ' [UPDATE] ',
  destroy: '[DESTROY] ',
};

export function flowLine(flow: FlowView, options: LineOptions = {}): string {
  return (
    (options.event === undefined ? '' : eventTags[options.event]) +
    [...headFields(flow, options), ...directionFields(flow), ...tailFields(flow, options)].join(' ')
  );
}

function headFields(flow: FlowView, options: LineOptions): string[] {
  const { protocol } = flow.original;
  const fields: string[] = [];
  if (options.extended === true) {
    fields.push(`${layer3Name(flow.family).padEnd(8)} ${flow.family}`);
  }
  fields.push(`${layer4Name(protocol).padEnd(8)} ${protocol}`);
  if (flow.timeoutSeconds !== undefined && options.withoutTimeout !== true) {
    fields.push(String(flow.timeoutSeconds));
  }
  if (flow.protocolState !== undefined) {
    const name = stateName(protocol, flow.protocolState);
    if (name !== undefined) fields.push(name);
  }
  return fields;
}

function directionFields(flow: FlowView): string[] {
  const fields = tupleFields(flow.original, 'orig');
  if (flow.status !== undefined && (flow.status & flowStatus.seenReply) === 0) {
    fields.push('[UNREPLIED]');
  }
  if (flow.reply !== undefined) fields.push(...tupleFields(flow.reply, 'reply'));
  const tag = offloadOrAssured(flow.status ?? 0);
  if (tag !== undefined) fields.push(tag);
  return fields;
}

function tupleFields(tuple: TupleView, direction: 'orig' | 'reply'): string[] {
  const fields: string[] = [];
  const address = (name: string, value: IpAddress | undefined): void => {
    if (value !== undefined) fields.push(`${name}=${formatIp(value)}`);
  };
  address('src', tuple.source);
  address('dst', tuple.destination);
  fields.push(...layer4Fields(tuple));
  if (tuple.zone !== undefined) fields.push(`zone-${direction}=${tuple.zone}`);
  if (tuple.counters !== undefined) {
    fields.push(`packets=${tuple.counters.packets.toString()}`);
    fields.push(`bytes=${tuple.counters.bytes.toString()}`);
  }
  return fields;
}

function layer4Fields(tuple: TupleView): string[] {
  const { protocol, sourcePort = 0, destinationPort = 0 } = tuple;
  if (hasPorts(protocol)) return [`sport=${sourcePort}`, `dport=${destinationPort}`];
  if (isIcmp(protocol)) {
    return [
      `type=${tuple.icmpType ?? 0}`,
      `code=${tuple.icmpCode ?? 0}`,
      `id=${tuple.icmpId ?? 0}`,
    ];
  }
  if (protocol === protocolNumbers.gre) {
    return [`srckey=0x${sourcePort.toString(16)}`, `dstkey=0x${destinationPort.toString(16)}`];
  }
  return [];
}

/** Mutually exclusive, hardware offload first. */
function offloadOrAssured(status: number): string | undefined {
  if ((status & flowStatus.hardwareOffload) !== 0) return '[HW_OFFLOAD]';
  if ((status & flowStatus.offload) !== 0) return '[OFFLOAD]';
  return (status & flowStatus.assured) !== 0 ? '[ASSURED]' : undefined;
}

function tailFields(flow: FlowView, options: LineOptions): string[] {
  const fields: string[] = [];
  const named = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) fields.push(`${name}=${value}`);
  };
  named('mark', flow.mark);
  named('secmark', flow.secmark);
  named('secctx', flow.securityContext);
  named('zone', flow.zone);
  named('delta-time', deltaSeconds(flow, options.now));
  if (options.kernelTimestamp === true) {
    if (flow.start !== undefined) fields.push(`[start=${ctime(flow.start)}]`);
    if (flow.stop !== undefined) fields.push(`[stop=${ctime(flow.stop)}]`);
  }
  named('helper', flow.helper);
  named('use', flow.use);
  if (options.id === true) named('id', flow.id);
  return fields;
}

/** Whole seconds from START to STOP, or to now; undefined without START or without a now. */
export function deltaSeconds(flow: FlowView, now: bigint | undefined): number | undefined {
  const end = flow.stop ?? now;
  if (flow.start === undefined || end === undefined) return undefined;
  const difference = end - flow.start;
  return difference < 0n ? 0 : Number(difference / 1_000_000_000n);
}
