/**
 * One flow as the arguments of `conntrack` that make, change or delete it again (`-o save`, read by
 * `-R`). Marks, labels and helpers are not part of it, as in conntrack 1.4.9; states and SCTP tags
 * are written so that they can be read.
 */
import type { ByteText } from './byteText.js';
import { flowStatus } from './flowView.js';
import { u16, u8, writeAddress } from './lineWriter.js';
import { direction, part, place, type MessageIndex } from './messageIndex.js';
import { hasPorts, isIcmp, layer4Name, protocolNumbers, stateName } from './names.js';
import { hasDestinationNat, hasSourceNat } from './translation.js';

/** Status words of `-u`, in the order in which they are written. */
const statusWords: readonly (readonly [number, string])[] = [
  [flowStatus.seenReply, 'SEEN_REPLY'],
  [flowStatus.assured, 'ASSURED'],
  [flowStatus.fixedTimeout, 'FIXED_TIMEOUT'],
  [flowStatus.expected, 'EXPECTED'],
];

/** `command`: "-A", "-U" or "-D". */
export function writeFlowArguments(out: ByteText, flow: MessageIndex, command: string): void {
  out.text(command);
  if (flow.has(place.timeout)) out.text(` -t ${flow.uint32(place.timeout)}`);
  if (flow.has(place.status)) out.text(` -u ${statusText(flow.uint32(place.status))}`);
  writeZones(out, flow);
  writeAddressOption(out, '-s', flow, direction.original + part.source);
  writeAddressOption(out, '-d', flow, direction.original + part.destination);
  writeAddressOption(
    out,
    hasDestinationNat(flow) ? '-g' : '-r',
    flow,
    direction.reply + part.source,
  );
  writeAddressOption(
    out,
    hasSourceNat(flow) ? '-n' : '-q',
    flow,
    direction.reply + part.destination,
  );
  const protocol = flow.uint8(direction.original + part.protocol);
  const name = layer4Name(protocol);
  out.text(` -p ${name === 'unknown' ? protocol : name}${layer4Text(flow, protocol)}`);
  if (flow.has(place.state)) {
    const state = stateName(protocol, flow.uint8(place.state));
    if (state !== undefined) out.text(` --state ${state}`);
  }
  if (protocol === protocolNumbers.sctp && flow.has(place.originalTag)) {
    out.text(` --orig-vtag ${flow.uint32(place.originalTag)}`);
    out.text(` --reply-vtag ${flow.has(place.replyTag) ? flow.uint32(place.replyTag) : 0}`);
  }
  if (protocol === protocolNumbers.dccp && flow.has(place.dccpRole)) {
    out.text(` --role ${flow.uint8(place.dccpRole) === 0 ? 'client' : 'server'}`);
  }
}

function statusText(status: number): string {
  const words = statusWords.filter(([bit]) => (status & bit) !== 0).map(([, word]) => word);
  return words.length === 0 ? 'UNSET' : words.join(',');
}

function writeZones(out: ByteText, flow: MessageIndex): void {
  const zone = (option: string, slot: number): void => {
    if (flow.has(slot)) out.text(` ${option} ${flow.uint16(slot)}`);
  };
  zone('-w', place.zone);
  zone('--orig-zone', direction.original + part.zone);
  zone('--reply-zone', direction.reply + part.zone);
}

function writeAddressOption(out: ByteText, option: string, flow: MessageIndex, slot: number): void {
  if (!flow.has(slot)) return;
  out.text(` ${option} `);
  writeAddress(out, flow, slot);
}

/**
 * Options of each part, in the order in which they are written; a part that the kernel does not
 * tell is left out.
 */
const portOptions = [
  [direction.original + part.sourcePort, '--sport'],
  [direction.original + part.destinationPort, '--dport'],
  [direction.reply + part.sourcePort, '--reply-port-src'],
  [direction.reply + part.destinationPort, '--reply-port-dst'],
] as const;

const keyOptions = [
  [direction.original + part.sourcePort, '--srckey'],
  [direction.original + part.destinationPort, '--dstkey'],
  [direction.reply + part.sourcePort, '--reply-key-src'],
  [direction.reply + part.destinationPort, '--reply-key-dst'],
] as const;

function layer4Text(flow: MessageIndex, protocol: number): string {
  if (isIcmp(protocol)) {
    const name = protocol === protocolNumbers.icmp ? 'icmp' : 'icmpv6';
    const { original } = direction;
    return (
      ` --${name}-type ${u8(flow, original + part.icmpType)}` +
      ` --${name}-code ${u8(flow, original + part.icmpCode)}` +
      ` --${name}-id ${u16(flow, original + part.icmpId)}`
    );
  }
  const isGre = protocol === protocolNumbers.gre;
  if (!isGre && !hasPorts(protocol)) return '';
  return (isGre ? keyOptions : portOptions)
    .filter(([slot]) => flow.has(slot))
    .map(([slot, option]) => ` ${option} ${flow.uint16(slot)}`)
    .join('');
}
