/**
 * Why a VIP is gone that nobody here wanted gone. Without promote_secondaries the kernel deletes
 * with the first address of a network all others of it: the events of one such deletion arrive
 * together, that of the first address last. Pure; remembers for a moment what went.
 */
import { formatIp, inPrefix } from '../../base/ipAddress.js';
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { AddressSpec, AddressState } from '../../net/ports.js';

/** An address that is replaced is back by then; a VIP is put back before it no more. */
const memory = seconds(2);

export interface LossReason {
  readonly text: string;
  /**
   * The interface's own address in the VIP's network is gone too: put back now, the VIP would stand
   * in front of it.
   */
  readonly isOwnAddressAway: boolean;
}

interface Gone {
  readonly address: AddressState;
  readonly at: Microseconds;
  /** Keepstate asked for it. */
  readonly isRemoved: boolean;
}

export class AddressLosses {
  #gone: Gone[] = [];

  /**
   * An address that is none of those that are to be put back; `isRemoved`: keepstate deleted it.
   */
  note(address: AddressState, isRemoved: boolean, now: Microseconds): void {
    this.#gone = this.#gone.filter(({ at }) => subtractTime(now, at) < memory);
    this.#gone.push({ address, at: now, isRemoved });
  }

  /** `present`: the addresses of the kernel now. */
  reasonFor(
    spec: AddressSpec,
    linkIndex: number | undefined,
    present: readonly AddressState[],
    now: Microseconds,
  ): LossReason {
    const cause = [...this.#gone]
      .reverse()
      .find(
        ({ address, at }) =>
          subtractTime(now, at) < memory &&
          address.linkIndex === linkIndex &&
          isOneNetwork(spec, address),
      );
    if (cause === undefined) {
      return { text: 'it was deleted by somebody else', isOwnAddressAway: false };
    }
    const text = `${formatIp(cause.address.address)}/${cause.address.prefixLength}`;
    if (cause.isRemoved) {
      return {
        text: `the kernel deleted it with ${text}, which keepstate removed`,
        isOwnAddressAway: false,
      };
    }
    return {
      text: `the kernel deleted it with ${text}, the interface's own address`,
      isOwnAddressAway: !present.some((one) => isSame(one, cause.address)),
    };
  }
}

/**
 * Whether the kernel takes both for addresses of one network: then the second is «secondary». IPv6
 * knows none.
 */
export function isOneNetwork(
  a: Pick<AddressSpec, 'address' | 'prefixLength'>,
  b: Pick<AddressSpec, 'address' | 'prefixLength'>,
): boolean {
  return (
    a.address.family === 4 &&
    b.address.family === 4 &&
    a.prefixLength === b.prefixLength &&
    inPrefix(a.address, b.address, b.prefixLength)
  );
}

function isSame(a: AddressState, b: AddressState): boolean {
  return (
    a.linkIndex === b.linkIndex &&
    a.prefixLength === b.prefixLength &&
    formatIp(a.address) === formatIp(b.address)
  );
}
