/**
 * The `<flow>` element of `conntrack -o xml` straight from the kernel's message: what flowXml.ts
 * makes of a view, with labels and the time of an event. Oddities of libnetfilter_conntrack are
 * kept, see there.
 */
import type { ByteText } from './byteText.js';
import { flowStatus, type EventKind } from './flowView.js';
import { escapeXml } from './flowXml.js';
import { labelsOf } from './labels.js';
import { u16, writeAddress, type LineContext, type LineForm } from './lineWriter.js';
import { direction, part, place, type MessageIndex } from './messageIndex.js';
import { hasPorts, layer3Name, layer4Name, protocolNumbers, tcpStateNames } from './names.js';

export interface XmlContext extends LineContext {
  /** `-o timestamp`: when the event was received, as local time. */
  readonly when?: Date;
}

const types: Readonly<Record<EventKind, string>> = {
  new: ' type="new"',
  update: ' type="update"',
  destroy: ' type="destroy"',
};

export function writeFlowXml(
  out: ByteText,
  flow: MessageIndex,
  form: LineForm,
  context: XmlContext,
): void {
  out.text(`<flow${context.event === undefined ? '' : types[context.event]}>`);
  writeDirection(out, flow, 'original', direction.original);
  writeDirection(out, flow, 'reply', direction.reply);
  out.text(`<meta direction="independent">${independent(flow, form, context)}</meta>`);
  if (context.when !== undefined) out.text(whenElement(context.when));
  if (flow.has(place.helper)) out.text(element('helper', escapeXml(flow.text(place.helper))));
  out.text('</flow>');
}

/** As libnetfilter_conntrack prints a direction that is not there. */
const absentReply =
  '<meta direction="reply"><layer3 protonum="0" protoname="unknown"><src></src><dst></dst></layer3>' +
  '<layer4 protonum="0" protoname="unknown"></layer4></meta>';

function writeDirection(out: ByteText, flow: MessageIndex, name: string, base: number): void {
  if (!flow.has(base + part.protocol)) {
    out.text(absentReply);
    return;
  }
  const protocol = flow.uint8(direction.original + part.protocol);
  out.text(`<meta direction="${name}">`);
  out.text(`<layer3 protonum="${flow.family}" protoname="${layer3Name(flow.family)}"><src>`);
  if (flow.has(base + part.source)) writeAddress(out, flow, base + part.source);
  out.text('</src><dst>');
  if (flow.has(base + part.destination)) writeAddress(out, flow, base + part.destination);
  out.text(
    `</dst></layer3><layer4 protonum="${protocol}" protoname="${layer4Name(protocol)}">` +
      `${layer4Elements(flow, base, protocol)}</layer4>`,
  );
  if (flow.has(base + part.zone)) out.text(element('zone', flow.uint16(base + part.zone)));
  if (flow.has(base + part.packets) && flow.has(base + part.bytes)) {
    const packets = element('packets', flow.uint64(base + part.packets).toString());
    const bytes = element('bytes', flow.uint64(base + part.bytes).toString());
    out.text(element('counters', packets + bytes));
  }
  out.text('</meta>');
}

function layer4Elements(flow: MessageIndex, base: number, protocol: number): string {
  const from = u16(flow, base + part.sourcePort);
  const to = u16(flow, base + part.destinationPort);
  if (hasPorts(protocol)) return element('sport', from) + element('dport', to);
  if (protocol !== protocolNumbers.gre) return '';
  return element('srckey', `0x${from.toString(16)}`) + element('dstkey', `0x${to.toString(16)}`);
}

function independent(flow: MessageIndex, form: LineForm, context: XmlContext): string {
  const parts: string[] = [];
  const u32 = (name: string, slot: number): void => {
    if (flow.has(slot)) parts.push(element(name, flow.uint32(slot)));
  };
  if (flow.has(place.state)) {
    parts.push(element('state', tcpStateNames[flow.uint8(place.state)] ?? 'NONE'));
  }
  u32('timeout', place.timeout);
  u32('mark', place.mark);
  u32('secmark', place.secmark);
  if (flow.has(place.securityContext)) {
    parts.push(element('secctx', escapeXml(flow.text(place.securityContext))));
  }
  parts.push(labelElements(flow, form));
  if (flow.has(place.zone)) parts.push(element('zone', flow.uint16(place.zone)));
  u32('use', place.use);
  u32('id', place.id);
  if (flow.has(place.status)) {
    const status = flow.uint32(place.status);
    if ((status & flowStatus.assured) !== 0) parts.push('<assured/>');
    if ((status & flowStatus.seenReply) === 0) parts.push('<unreplied/>');
  }
  parts.push(timeElements(flow, form, context));
  return parts.join('');
}

function timeElements(flow: MessageIndex, form: LineForm, context: XmlContext): string {
  if (!flow.has(place.start)) return '';
  const start = flow.uint64(place.start);
  const stop = flow.has(place.stop) ? flow.uint64(place.stop) : undefined;
  const stamps =
    element('start', start.toString()) +
    (stop === undefined ? '' : element('stop', stop.toString()));
  const end = stop ?? BigInt(context.nowSeconds) * 1_000_000_000n;
  const life = end < start ? 0n : (end - start) / 1_000_000_000n;
  return (
    (form.kernelTimestamp === true ? element('timestamp', stamps) : '') +
    element('deltatime', life.toString())
  );
}

function labelElements(flow: MessageIndex, form: LineForm): string {
  if (form.labels === undefined) return '';
  const names = labelsOf(flow, form.labels);
  return names.length === 0
    ? ''
    : element('labels', names.map((name) => element('label', escapeXml(name))).join(''));
}

function whenElement(when: Date): string {
  return element(
    'when',
    element('hour', when.getHours()) +
      element('min', when.getMinutes()) +
      element('sec', when.getSeconds()) +
      element('wday', when.getDay() + 1) +
      element('day', when.getDate()) +
      element('month', when.getMonth() + 1) +
      element('year', when.getFullYear()),
  );
}

function element(name: string, content: string | number): string {
  return `<${name}>${content}</${name}>`;
}
