/** Capabilities of a thread as proc(5) shows them, and their numbers (linux/capability.h). */

export const capability = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_NICE: 23,
} as const;

export type Capability = keyof typeof capability;

/** Sets as bits. */
export interface CapabilitySets {
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
}

export function capabilityBits(names: readonly Capability[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(capability[name])), 0n);
}

/** From the text of /proc/PID/status; what is missing there is empty. */
export function readCapabilities(status: string): CapabilitySets {
  const set = (name: string): bigint => {
    const digits = new RegExp(`^${name}:\\s+([0-9a-f]+)$`, 'm').exec(status)?.[1];
    return digits === undefined ? 0n : BigInt(`0x${digits}`);
  };
  return {
    permitted: set('CapPrm'),
    effective: set('CapEff'),
    bounding: set('CapBnd'),
    ambient: set('CapAmb'),
  };
}
