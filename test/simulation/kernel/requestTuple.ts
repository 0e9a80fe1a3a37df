/** Tuples and zones of requests. */
import { EINVAL } from '../../../src/base/errno.js';
import { protocol } from '../../../src/conntrack/constants.js';
import { addressAt } from './addressText.js';
import { Refusal, type Attributes } from './attributes.js';
import type { ZoneScope } from './flow.js';
import { attribute } from './flowMessage.js';
import type { Tuple } from './kernelPorts.js';
import { hasPorts, isIcmp, isTrackedIcmp, tupleKey } from './tuple.js';

/** CTA_TUPLE_*, CTA_IP_*, CTA_PROTO_*. */
const tuplePart = { ip: 1, layer4: 2, zone: 3 } as const;

export interface Zone {
  readonly id: number;
  readonly scope: ZoneScope;
}

/**
 * The tuple of attribute `type`; undefined where there is none. Throws Refusal (EINVAL, ERANGE).
 */
export function readTuple(
  attributes: Attributes,
  type: number,
  isIpv6: boolean,
): Tuple | undefined {
  const nest = attributes.nest(type);
  if (nest === undefined) return undefined;
  const ip = nest.nest(tuplePart.ip);
  const layer4 = nest.nest(tuplePart.layer4);
  if (ip === undefined || layer4 === undefined) throw new Refusal(EINVAL);
  const length = isIpv6 ? 16 : 4;
  const first = isIpv6 ? 3 : 1;
  const sourceAt = needed(ip.at(first, length));
  const destinationAt = needed(ip.at(first + 1, length));
  const number = needed(layer4.u8(1));
  const [sourcePort, destinationPort] = readPorts(layer4, number);
  return {
    protocol: number,
    source: addressAt(ip.view, sourceAt, length),
    sourcePort,
    destination: addressAt(ip.view, destinationAt, length),
    destinationPort,
  };
}

function readPorts(layer4: Attributes, number: number): readonly [number, number] {
  if (isIcmp(number)) {
    const first = number === protocol.icmp ? 4 : 7;
    const id = needed(layer4.u16(first));
    const type = needed(layer4.u8(first + 1));
    const code = needed(layer4.u8(first + 2));
    if (!isTrackedIcmp(number, type)) throw new Refusal(EINVAL);
    return [id, (type << 8) | code];
  }
  if (!hasPorts(number) && number !== protocol.gre) return [0, 0];
  return [needed(layer4.u16(2)), needed(layer4.u16(3))];
}

/** CTA_ZONE, or the zone of one tuple; never two of them. */
export function readZone(attributes: Attributes): Zone {
  const whole = attributes.u16(attribute.zone);
  const original = attributes.nest(attribute.original)?.u16(tuplePart.zone);
  const reply = attributes.nest(attribute.reply)?.u16(tuplePart.zone);
  if ([whole, original, reply].filter((zone) => zone !== undefined).length > 1) {
    throw new Refusal(EINVAL);
  }
  if (original !== undefined) return { id: original, scope: 'original' };
  if (reply !== undefined) return { id: reply, scope: 'reply' };
  return { id: whole ?? 0, scope: 'both' };
}

/** The key under which a tuple is looked up that stands in the original or the reply attribute. */
export function keyIn(tuple: Tuple, { id, scope }: Zone, direction: 'original' | 'reply'): string {
  return tupleKey(tuple, scope === 'both' || scope === direction ? id : 0);
}

export function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Refusal(EINVAL);
  return value;
}
