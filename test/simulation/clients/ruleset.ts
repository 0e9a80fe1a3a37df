/**
 * The ruleset of the samples: what belongs to a flow passes, what is invalid does not, and new
 * flows come from inside. Flows to the outside leave with the outer virtual address.
 */
import type { Ruleset } from '../kernel/kernelPorts.js';
import { virtualAddress } from '../node/configuration.js';

export const sampleRuleset: Ruleset = {
  accepts: (packet, state) => {
    switch (state) {
      case 'ESTABLISHED':
      case 'RELATED':
        return true;
      case 'NEW':
        return packet.input === 'lan';
      case 'INVALID':
        return false;
    }
  },
  destinationNat: () => undefined,
  sourceNat: ({ input }) => (input === 'lan' ? { address: virtualAddress.wan } : undefined),
};
