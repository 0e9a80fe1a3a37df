/** An expectation as listings want it. */
import { ipFromBytes } from '../../base/ipAddress.js';
import { printable } from '../../base/printable.js';
import type { Expectation, ExpectationTuple } from '../../conntrack/codec/expectation.js';
import type { ExpectationView, TupleView } from '../../conntrack/text/flowView.js';

export function expectationView(content: Expectation): ExpectationView {
  const { isIpv6, tuple, mask, master, timeoutSeconds, zone, flags, helper, functionName } =
    content;
  return {
    family: isIpv6 ? 10 : 2,
    tuple: tupleView(tuple),
    mask: tupleView(mask),
    master: tupleView(master),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(zone === undefined ? {} : { zone }),
    ...(flags === undefined ? {} : { flags }),
    ...(content.class === undefined ? {} : { class: content.class }),
    ...(helper === undefined ? {} : { helper: printable(helper) }),
    ...(functionName === undefined ? {} : { functionName: printable(functionName) }),
  };
}

function tupleView({ source, destination, protocol, ports }: ExpectationTuple): TupleView {
  const from = ipFromBytes(Buffer.from(source, 'hex'));
  const to = ipFromBytes(Buffer.from(destination, 'hex'));
  return {
    protocol,
    ...(from === undefined ? {} : { source: from }),
    ...(to === undefined ? {} : { destination: to }),
    ...(ports === undefined ? {} : { sourcePort: ports >>> 16, destinationPort: ports & 0xffff }),
  };
}
