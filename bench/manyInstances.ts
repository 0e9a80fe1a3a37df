/** Instances on eth0 and eth1 of one host, all MASTER, each with an address of 10.N.1.0/24. */
import type { InstanceSpec } from '../test/support/vrrp/nodeSpec.js';

export function manyInstances(perInterface: number): readonly InstanceSpec[] {
  return [0, 1].flatMap((n) =>
    Array.from({ length: perInterface }, (_, i) => ({
      name: `V${n}x${i + 1}`,
      interfaceName: `eth${n}`,
      vrid: i + 1,
      priority: 200,
      vips: [`10.${n}.1.${i + 1}/16`],
      garpMasterDelay: 1,
      garpMasterRepeat: 1,
    })),
  );
}
