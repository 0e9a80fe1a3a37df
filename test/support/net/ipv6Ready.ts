import type { Host } from '../../lab/host.js';
import { waitFor } from '../../lab/waitFor.js';

/**
 * A fresh interface drops IPv6 multicast for its first moments: waits until the others answer on
 * it.
 */
export async function ipv6Ready(host: Host, interfaceName: string): Promise<void> {
  const ping = ['ping', '-6', '-c', '1', '-W', '1', '-L', `ff02::1%${interfaceName}`];
  await waitFor(async () => (await host.tryExec(ping)).exitCode === 0, {
    description: `IPv6 multicast from ${host.name}`,
  });
}
