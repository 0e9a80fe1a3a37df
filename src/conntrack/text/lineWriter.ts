/**
 * The line of `conntrack -L` and `-E` straight from the kernel's message: what flowLine.ts makes of
 * a view, without the view. Each field is followed by one space; the last one is removed by writing
 * it in front.
 */
import { formatIp, ipFromBytes } from '../../base/ipAddress.js';
import { chunk, type ByteText, type Chunk } from './byteText.js';
import { ctime } from './ctime.js';
import { flowStatus, type EventKind } from './flowView.js';
import { labelsOf, type LabelMap } from './labels.js';
import { direction, part, place, type MessageIndex } from './messageIndex.js';
import { hasPorts, isIcmp, layer3Name, layer4Name, protocolNumbers, stateName } from './names.js';

export interface LineForm {
  /** `-o extended`: layer 3 name and number in front. */
  readonly extended?: boolean;
  /** `-o id`. */
  readonly id?: boolean;
  /** `-o ktimestamp`. */
  readonly kernelTimestamp?: boolean;
  /** `-o labels`: names of the labels that are set. */
  readonly labels?: LabelMap;
  /** conntrackd's log of ended connections prints none. */
  readonly withoutTimeout?: boolean;
}

export interface LineContext {
  readonly event?: EventKind;
  /** Seconds since 1970, for `delta-time` of a living flow. */
  readonly nowSeconds: number;
}

const eventTags: Readonly<Record<EventKind, Chunk>> = {
  new: chunk('    [NEW] '),
  update: chunk(' [UPDATE] '),
  destroy: chunk('[DESTROY] '),
};
const space = chunk(' ');
const source = chunk(' src=');
const destination = chunk(' dst=');
const sourcePort = chunk(' sport=');
const destinationPort = chunk(' dport=');
const unreplied = chunk(' [UNREPLIED]');
const assured = chunk(' [ASSURED]');
const offload = chunk(' [OFFLOAD]');
const hardwareOffload = chunk(' [HW_OFFLOAD]');
const packets = chunk(' packets=');
const bytes = chunk(' bytes=');
const mark = chunk(' mark=');
const life = chunk(' delta-time=');
const use = chunk(' use=');
const id = chunk(' id=');

/** "tcp      6" and the like, made when first needed. */
const layer4Chunks: (Chunk | undefined)[] = [];
const stateChunks: (Chunk | undefined)[] = [];

export function writeFlowLine(
  out: ByteText,
  flow: MessageIndex,
  form: LineForm,
  context: LineContext,
): void {
  const protocol = flow.uint8(direction.original + part.protocol);
  const status = flow.has(place.status) ? flow.uint32(place.status) : -1;
  if (context.event !== undefined) out.put(eventTags[context.event]);
  if (form.extended === true) {
    out.text(`${layer3Name(flow.family).padEnd(8)} ${flow.family} `);
  }
  out.put((layer4Chunks[protocol] ??= chunk(`${layer4Name(protocol).padEnd(8)} ${protocol}`)));
  if (form.withoutTimeout !== true && flow.has(place.timeout)) {
    number(out, space, flow.uint32(place.timeout));
  }
  if (flow.has(place.state)) out.put(stateChunk(protocol, flow.uint8(place.state)));
  writeDirection(out, flow, direction.original, protocol);
  if (status !== -1 && (status & flowStatus.seenReply) === 0) out.put(unreplied);
  if (flow.has(direction.reply + part.protocol)) {
    writeDirection(out, flow, direction.reply, protocol);
  }
  if (status !== -1) writeStatusTag(out, status);
  writeTail(out, flow, form, context);
}

function stateChunk(protocol: number, state: number): Chunk {
  const key = (protocol << 8) | state;
  const found = stateChunks[key];
  if (found !== undefined) return found;
  const name = stateName(protocol, state);
  return (stateChunks[key] = chunk(name === undefined ? '' : ` ${name}`));
}

function writeDirection(out: ByteText, flow: MessageIndex, base: number, protocol: number): void {
  address(out, source, flow, base + part.source);
  address(out, destination, flow, base + part.destination);
  if (hasPorts(protocol)) {
    number(out, sourcePort, u16(flow, base + part.sourcePort));
    number(out, destinationPort, u16(flow, base + part.destinationPort));
  } else if (isIcmp(protocol)) {
    const [type, code] = [u8(flow, base + part.icmpType), u8(flow, base + part.icmpCode)];
    out.text(` type=${type} code=${code} id=${u16(flow, base + part.icmpId)}`);
  } else if (protocol === protocolNumbers.gre) {
    const [from, to] = [u16(flow, base + part.sourcePort), u16(flow, base + part.destinationPort)];
    out.text(` srckey=0x${from.toString(16)} dstkey=0x${to.toString(16)}`);
  }
  if (flow.has(base + part.zone)) {
    const name = base === direction.original ? 'orig' : 'reply';
    out.text(` zone-${name}=${flow.uint16(base + part.zone)}`);
  }
  if (flow.has(base + part.packets) && flow.has(base + part.bytes)) {
    out.put(packets);
    counter(out, flow, base + part.packets);
    out.put(bytes);
    counter(out, flow, base + part.bytes);
  }
}

/** Mutually exclusive, hardware offload first. */
function writeStatusTag(out: ByteText, status: number): void {
  if ((status & flowStatus.hardwareOffload) !== 0) out.put(hardwareOffload);
  else if ((status & flowStatus.offload) !== 0) out.put(offload);
  else if ((status & flowStatus.assured) !== 0) out.put(assured);
}

function writeTail(out: ByteText, flow: MessageIndex, form: LineForm, context: LineContext): void {
  if (flow.has(place.mark)) number(out, mark, flow.uint32(place.mark));
  if (flow.has(place.secmark)) out.text(` secmark=${flow.uint32(place.secmark)}`);
  if (flow.has(place.securityContext)) out.text(` secctx=${flow.text(place.securityContext)}`);
  if (flow.has(place.zone)) out.text(` zone=${flow.uint16(place.zone)}`);
  if (flow.has(place.start)) writeTimes(out, flow, form, context);
  if (flow.has(place.helper)) out.text(` helper=${flow.text(place.helper)}`);
  if (flow.has(place.use)) number(out, use, flow.uint32(place.use));
  if (form.id === true && flow.has(place.id)) number(out, id, flow.uint32(place.id));
  if (form.labels !== undefined && flow.has(place.labels)) {
    const names = labelsOf(flow, form.labels);
    if (names.length > 0) out.text(` labels=${names.join(',')}`);
  }
}

function writeTimes(out: ByteText, flow: MessageIndex, form: LineForm, context: LineContext): void {
  const start = flow.uint64(place.start);
  const stop = flow.has(place.stop) ? flow.uint64(place.stop) : undefined;
  const seconds = lifeSeconds(start, stop, context.nowSeconds);
  number(out, life, seconds);
  if (form.kernelTimestamp !== true) return;
  out.text(` [start=${ctime(start)}]`);
  if (stop !== undefined) out.text(` [stop=${ctime(stop)}]`);
}

/** From the second of the start to that of the end, as conntrack counts in lines. */
function lifeSeconds(start: bigint, stop: bigint | undefined, nowSeconds: number): number {
  const second = (time: bigint): number => Number(time / 1_000_000_000n);
  const end = stop === undefined ? nowSeconds : second(stop);
  return Math.max(0, end - second(start));
}

function number(out: ByteText, name: Chunk, value: number): void {
  out.put(name);
  out.decimal(value);
}

/** Most counters need 32 bits, and a BigInt costs more than the rest of a line. */
function counter(out: ByteText, flow: MessageIndex, slot: number): void {
  const high = flow.uint32(slot);
  if (high === 0) out.decimal(flow.view.getUint32(flow.at[slot]! + 4));
  else out.decimal64(flow.uint64(slot));
}

function address(out: ByteText, name: Chunk, flow: MessageIndex, slot: number): void {
  if (!flow.has(slot)) return;
  out.put(name);
  writeAddress(out, flow, slot);
}

/** An address that the message has. */
export function writeAddress(out: ByteText, flow: MessageIndex, slot: number): void {
  const from = flow.at[slot]!;
  if (flow.family !== 10) {
    out.ipv4(flow.bytes, from);
    return;
  }
  const address = ipFromBytes(flow.bytes.subarray(from, from + 16));
  if (address !== undefined) out.text(formatIp(address));
}

/** Absent is zero, as in the listings of conntrack. */
export function u8(flow: MessageIndex, slot: number): number {
  return flow.has(slot) ? flow.uint8(slot) : 0;
}

export function u16(flow: MessageIndex, slot: number): number {
  return flow.has(slot) ? flow.uint16(slot) : 0;
}
