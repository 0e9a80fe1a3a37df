/** Expectations as `conntrack -L expect`, `-E expect` and `conntrackd -i expect` print them. */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { EventKind, ExpectationView, TupleView } from './flowView.js';
import { escapeXml } from './flowXml.js';
import { hasPorts, layer3Name, layer4Name } from './names.js';

const eventTags: Readonly<Record<EventKind, string>> = {
  new: '    [NEW] ',
  update: ' [UPDATE] ',
  destroy: '[DESTROY] ',
};

const flagNames = [
  [1, 'PERMANENT'],
  [2, 'INACTIVE'],
  [4, 'USERSPACE'],
] as const;

export interface ExpectationLineOptions {
  readonly event?: EventKind;
  readonly withoutTimeout?: boolean;
}

export function expectationLine(
  expectation: ExpectationView,
  options: ExpectationLineOptions = {},
): string {
  const { tuple, mask, master } = expectation;
  const fields: string[] = [];
  if (expectation.timeoutSeconds !== undefined && options.withoutTimeout !== true) {
    fields.push(String(expectation.timeoutSeconds));
  }
  fields.push(`proto=${tuple.protocol}`);
  fields.push(...addresses('', tuple), ...ports(tuple));
  fields.push(...addresses('mask-', mask), ...ports({ ...mask, protocol: tuple.protocol }));
  fields.push(...addresses('master-', master), ...ports(master));
  if (expectation.zone !== undefined && expectation.zone !== 0) {
    fields.push(`zone=${expectation.zone}`);
  }
  const flags = flagNames.filter(([bit]) => ((expectation.flags ?? 0) & bit) !== 0);
  if (flags.length > 0) fields.push(flags.map(([, name]) => name).join(','));
  fields.push(`class=${expectation.class ?? 0}`);
  if (expectation.helper !== undefined) fields.push(`helper=${expectation.helper}`);
  return (options.event === undefined ? '' : eventTags[options.event]) + fields.join(' ');
}

export function expectationXml(expectation: ExpectationView, withoutTimeout = false): string {
  const { family, tuple, mask, master } = expectation;
  const group = (name: string, content: string): string => `<${name}>${content}</${name}>`;
  const pair = (a: string, b: string, one: string | number, two: string | number): string =>
    `<${a}>${one}</${a}><${b}>${two}</${b}>`;
  const layer3 = (name: string, side: TupleView): string =>
    group(name, pair('src', 'dst', text(side.source), text(side.destination)));
  const layer4 = (name: string, side: TupleView): string =>
    hasPorts(tuple.protocol)
      ? group(name, pair('sport', 'dport', side.sourcePort ?? 0, side.destinationPort ?? 0))
      : group(name, '');
  const sides = (element: (name: string, side: TupleView) => string): string =>
    element('expected', tuple) + element('mask', mask) + element('master', master);
  const { helper, timeoutSeconds } = expectation;
  const meta =
    (helper === undefined ? '' : `<helper-name>${escapeXml(helper)}</helper-name>`) +
    (timeoutSeconds === undefined || withoutTimeout ? '' : `<timeout>${timeoutSeconds}</timeout>`) +
    `<class>${expectation.class ?? 0}</class>`;
  return (
    '<flow>' +
    `<layer3 protonum="${family}" protoname="${layer3Name(family)}">${sides(layer3)}</layer3>` +
    `<layer4 protonum="${tuple.protocol}" protoname="${layer4Name(tuple.protocol)}">${sides(layer4)}</layer4>` +
    `<meta>${meta}</meta></flow>`
  );
}

function addresses(prefix: string, tuple: TupleView): string[] {
  return [`${prefix}src=${text(tuple.source)}`, `${prefix}dst=${text(tuple.destination)}`];
}

function ports(tuple: TupleView): string[] {
  return hasPorts(tuple.protocol)
    ? [`sport=${tuple.sourcePort ?? 0}`, `dport=${tuple.destinationPort ?? 0}`]
    : [];
}

function text(address: IpAddress | undefined): string {
  return address === undefined ? '' : formatIp(address);
}
