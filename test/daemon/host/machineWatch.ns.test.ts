/** What only doctor asked, the daemon asks too: `status` shows it. */
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

const config = `vrrp_instance A {
  interface wan
  virtual_router_id 77
  version 3
  advert_int 0.2
  priority 100
  virtual_ipaddress {
    10.4.0.9/24
  }
}
Sync {
  Mode FTFW {
  }
  UDP {
    IPv4_address 10.3.0.1
    IPv4_Destination_Address 10.3.0.2
    Port 3780
    Interface sync
  }
}
`;

let lab: Lab;
let host: Host;

beforeAll(async () => {
  lab = await Lab.open();
  const [one, two] = (await lab.hosts('one', 'two')) as [Host, Host];
  for (const [i, name] of ['wan', 'sync'].entries()) {
    await lab.link(
      { host: one, name, addresses: [`10.${4 - i}.0.1/24`] },
      { host: two, name, addresses: [`10.${4 - i}.0.2/24`] },
    );
  }
  host = one;
});

afterAll(async () => {
  await lab.close();
});

test('events switched off and a conntrackd that appears later are problems of status', async () => {
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 0 });
  const node = new KeepstateNode(host, config);
  await node.start();
  const shows = (code: string): Promise<unknown> =>
    node.waitForStatus(
      ({ problems }) => problems.some((one) => one.code === code),
      `the problem ${code}`,
      // Looked at 10 s after the start, and then each minute.
      { timeout: 120_000 },
    );
  await shows('conntrack-events');
  await Conntrackd.start(host, {
    mode: 'FTFW',
    link: {
      kind: 'udp',
      local: '10.3.0.1',
      destination: '10.3.0.2',
      interfaceName: 'sync',
      port: 3999,
    },
  });
  await shows('incumbent-running');
});
