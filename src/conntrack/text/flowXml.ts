/**
 * The `<flow>` element of `conntrack -o xml` and `conntrackd -x` (libnetfilter_conntrack 1.0.9),
 * one per line. Its oddities are kept because programs parse them: SCTP and DCCP states carry TCP's
 * names, ICMP has an empty layer4, an offloaded flow has no offload tag.
 */
import { formatIp } from '../../base/ipAddress.js';
import { deltaSeconds } from './flowLine.js';
import { flowStatus, type EventKind, type FlowView, type TupleView } from './flowView.js';
import { hasPorts, layer3Name, layer4Name, protocolNumbers, tcpStateNames } from './names.js';

export interface XmlOptions {
  readonly event?: EventKind;
  readonly withoutTimeout?: boolean;
  readonly kernelTimestamp?: boolean;
  /** Nanoseconds since 1970, for `deltatime` of a living flow. */
  readonly now?: bigint;
}

export const xmlHeader = '<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n';
export const xmlFooter = '</conntrack>\n';

export function flowXml(flow: FlowView, options: XmlOptions = {}): string {
  const type = options.event === undefined ? '' : ` type="${options.event}"`;
  return (
    `<flow${type}>` +
    directionElement('original', flow.family, flow.original) +
    (flow.reply === undefined ? absentReply : directionElement('reply', flow.family, flow.reply)) +
    `<meta direction="independent">${independentElements(flow, options)}</meta>` +
    (flow.helper === undefined ? '' : element('helper', escapeXml(flow.helper))) +
    '</flow>'
  );
}

function directionElement(direction: string, family: number, tuple: TupleView): string {
  const address = (name: string, value: TupleView['source']): string =>
    value === undefined ? '' : element(name, formatIp(value));
  return (
    `<meta direction="${direction}">` +
    `<layer3 protonum="${family}" protoname="${layer3Name(family)}">` +
    address('src', tuple.source) +
    address('dst', tuple.destination) +
    '</layer3>' +
    `<layer4 protonum="${tuple.protocol}" protoname="${layer4Name(tuple.protocol)}">` +
    layer4Elements(tuple) +
    '</layer4>' +
    (tuple.zone === undefined ? '' : element('zone', tuple.zone)) +
    (tuple.counters === undefined
      ? ''
      : element(
          'counters',
          element('packets', tuple.counters.packets.toString()) +
            element('bytes', tuple.counters.bytes.toString()),
        )) +
    '</meta>'
  );
}

/** What the external cache prints: the reply direction is not replicated. */
const absentReply =
  '<meta direction="reply"><layer3 protonum="0" protoname="unknown"><src></src><dst></dst></layer3>' +
  '<layer4 protonum="0" protoname="unknown"></layer4></meta>';

function layer4Elements(tuple: TupleView): string {
  const { protocol, sourcePort = 0, destinationPort = 0 } = tuple;
  if (hasPorts(protocol)) return element('sport', sourcePort) + element('dport', destinationPort);
  if (protocol === protocolNumbers.gre) {
    return (
      element('srckey', `0x${sourcePort.toString(16)}`) +
      element('dstkey', `0x${destinationPort.toString(16)}`)
    );
  }
  return '';
}

function independentElements(flow: FlowView, options: XmlOptions): string {
  const parts: string[] = [];
  const named = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) parts.push(element(name, value));
  };
  if (flow.protocolState !== undefined) named('state', tcpStateNames[flow.protocolState] ?? 'NONE');
  if (options.withoutTimeout !== true) named('timeout', flow.timeoutSeconds);
  named('mark', flow.mark);
  named('secmark', flow.secmark);
  named('secctx', flow.securityContext === undefined ? undefined : escapeXml(flow.securityContext));
  named('zone', flow.zone);
  named('use', flow.use);
  named('id', flow.id);
  if (flow.status !== undefined) {
    if ((flow.status & flowStatus.assured) !== 0) parts.push('<assured/>');
    if ((flow.status & flowStatus.seenReply) === 0) parts.push('<unreplied/>');
  }
  if (options.kernelTimestamp === true && flow.start !== undefined) {
    const stop = flow.stop === undefined ? '' : element('stop', flow.stop.toString());
    parts.push(element('timestamp', element('start', flow.start.toString()) + stop));
  }
  named('deltatime', deltaSeconds(flow, options.now));
  return parts.join('');
}

function element(name: string, content: string | number): string {
  return `<${name}>${content}</${name}>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
