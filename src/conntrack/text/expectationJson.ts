/** One expectation as a JSON object for programs, with the names of flowJson.ts. */
import { tupleJson, type Json } from './flowJson.js';
import type { EventKind, ExpectationView } from './flowView.js';
import { layer3Name, layer4Name } from './names.js';

export function expectationJson(
  expectation: ExpectationView,
  event?: EventKind,
): Record<string, Json | undefined> {
  const { tuple } = expectation;
  return {
    event,
    family: layer3Name(expectation.family),
    protocol: layer4Name(tuple.protocol),
    protocolNumber: tuple.protocol,
    timeout: expectation.timeoutSeconds,
    tuple: tupleJson(tuple),
    mask: tupleJson(expectation.mask),
    master: tupleJson(expectation.master),
    zone: expectation.zone,
    flags: expectation.flags,
    class: expectation.class,
    helper: expectation.helper,
    function: expectation.functionName,
  };
}
