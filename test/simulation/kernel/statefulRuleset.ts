/**
 * The rules of a stateful firewall as the samples have them: default drop, INVALID dropped, NEW
 * only from inside (and to what a destination is translated to), nothing to the node itself.
 */
import type { NatMapping, Packet, Ruleset } from './kernelPorts.js';

export interface StatefulRules {
  /** Interfaces by which new flows may come. */
  readonly inside: readonly string[];
  /** Of flows from inside. */
  readonly sourceNat?: NatMapping;
  /** Of packets from outside to an address and port. */
  readonly destinationNat?: readonly {
    readonly to: { readonly protocol: number; readonly address: string; readonly port: number };
    readonly mapping: NatMapping;
  }[];
  /** No chain of type nat is loaded. Default: there is one, be it empty. */
  readonly hasNatChains?: boolean;
  /** INVALID packets pass, as a ruleset lets them that only looks for NEW. Default false. */
  readonly acceptsInvalid?: boolean;
}

export function statefulRuleset(rules: StatefulRules): Ruleset {
  const isInside = ({ input }: Packet): boolean => rules.inside.includes(input);
  const translations = rules.destinationNat ?? [];
  return {
    hasNatChains: rules.hasNatChains !== false,
    accepts: (packet, state, kind) => {
      if (kind === 'input') return false;
      if (state === 'INVALID') return rules.acceptsInvalid === true;
      if (state !== 'NEW') return true;
      return isInside(packet) || translations.some(({ mapping }) => goesTo(packet, mapping));
    },
    destinationNat: (packet) => {
      if (isInside(packet)) return undefined;
      const { protocol, destination, destinationPort } = packet.tuple;
      return translations.find(
        ({ to }) =>
          to.protocol === protocol && to.address === destination && to.port === destinationPort,
      )?.mapping;
    },
    sourceNat: (packet) => (isInside(packet) ? rules.sourceNat : undefined),
  };
}

function goesTo({ tuple }: Packet, { address, ports }: NatMapping): boolean {
  if (tuple.destination !== address) return false;
  const [low, high] = ports ?? [0, 0xffff];
  return tuple.destinationPort >= low && tuple.destinationPort <= high;
}
