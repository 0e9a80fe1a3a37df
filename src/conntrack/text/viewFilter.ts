/**
 * The filter options of `conntrack -L` on views: -s, -d, -p, --sport, --dport, --state, --mark,
 * --zone, -f. Addresses and ports are those of the original direction. Every option that is given
 * must match.
 */
import { inPrefix, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { FlowView } from './flowView.js';
import { protocolByName, stateName } from './names.js';

/** Option texts as written by the user. */
export interface FlowFilterOptions {
  readonly src?: string;
  readonly dst?: string;
  readonly proto?: string;
  readonly sport?: string;
  readonly dport?: string;
  readonly state?: string;
  readonly mark?: string;
  readonly zone?: string;
  readonly family?: string;
}

export type FlowPredicate = (flow: FlowView) => boolean;

/** A predicate, or what is wrong with the options, for a person. */
export function flowFilter(
  options: FlowFilterOptions,
): FlowPredicate | { readonly problem: string } {
  const predicates: FlowPredicate[] = [];
  for (const name of optionNames) {
    const text = options[name];
    if (text === undefined) continue;
    const predicate = builders[name](text);
    if (typeof predicate === 'string') return { problem: predicate };
    predicates.push(predicate);
  }
  return (flow) => predicates.every((predicate) => predicate(flow));
}

type Builder = (text: string) => FlowPredicate | string;

const builders: Readonly<Record<keyof FlowFilterOptions, Builder>> = {
  src: (text) => addressPredicate('--src', text, (flow) => flow.original.source),
  dst: (text) => addressPredicate('--dst', text, (flow) => flow.original.destination),
  proto: (text) => {
    const protocol = protocolByName(text);
    if (protocol === undefined)
      return `--proto ${text}: expected a protocol name or a number 0-255`;
    return (flow) => flow.original.protocol === protocol;
  },
  sport: (text) => numberPredicate('--sport', text, 65535, (flow) => flow.original.sourcePort),
  dport: (text) => numberPredicate('--dport', text, 65535, (flow) => flow.original.destinationPort),
  state: (text) => {
    const wanted = stateAlias(text);
    return (flow) =>
      flow.protocolState !== undefined &&
      stateName(flow.original.protocol, flow.protocolState) === wanted;
  },
  mark: markPredicate,
  zone: (text) => numberPredicate('--zone', text, 65535, (flow) => flow.zone ?? 0),
  family: (text) => {
    const family = { ipv4: 2, ipv6: 10 }[text];
    if (family === undefined) return `--family ${text}: expected ipv4 or ipv6`;
    return (flow) => flow.family === family;
  },
};

// Object.keys loses the key type; the object above is its source.
const optionNames = Object.keys(builders) as (keyof FlowFilterOptions)[];

function addressPredicate(
  option: string,
  text: string,
  read: (flow: FlowView) => IpAddress | undefined,
): FlowPredicate | string {
  const [addressText = '', prefixText] = text.split('/');
  const address = parseIp(addressText);
  if (address === undefined) return `${option} ${text}: expected an address, or address/prefix`;
  const bits = address.bytes.length * 8;
  const prefix = prefixText === undefined ? bits : parseNumber(prefixText, bits);
  if (prefix === undefined) return `${option} ${text}: expected a prefix length from 0 to ${bits}`;
  return (flow) => {
    const value = read(flow);
    return value !== undefined && inPrefix(value, address, prefix);
  };
}

function numberPredicate(
  option: string,
  text: string,
  limit: number,
  read: (flow: FlowView) => number | undefined,
): FlowPredicate | string {
  const value = parseNumber(text, limit);
  if (value === undefined) return `${option} ${text}: expected a number from 0 to ${limit}`;
  return (flow) => read(flow) === value;
}

/** value[/mask]: (mark & mask) == value. Decimal, 0x hexadecimal or 0 octal. */
function markPredicate(text: string): FlowPredicate | string {
  const [valueText = '', maskText] = text.split('/');
  const value = parseNumber(valueText, 0xffffffff);
  const mask = maskText === undefined ? 0xffffffff : parseNumber(maskText, 0xffffffff);
  if (value === undefined || mask === undefined) {
    return `--mark ${text}: expected value or value/mask, each up to 0xffffffff`;
  }
  return (flow) => flow.mark !== undefined && (flow.mark & mask) >>> 0 === value;
}

function parseNumber(text: string, limit: number): number | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text);
  return value <= limit ? value : undefined;
}

function stateAlias(text: string): string {
  const upper = text.toUpperCase();
  return { LISTEN: 'SYN_SENT2', CLOSED: 'CLOSE' }[upper] ?? upper;
}
