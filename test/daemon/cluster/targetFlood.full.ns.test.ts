/**
 * 50,000 forged echo replies a second, by either ICMP socket: none is believed, the target that
 * cannot be heard is `blind` and keeps its state, and so does the role; afterwards all is seen
 * again.
 */
import type { StatusAnswer, TargetStatus } from '../../../src/control/statusAnswer.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

const rate = 50_000;
const floodSeconds = 10;
const config = `vrrp_track_target FAR {
  icmp 10.0.0.2
  interval 0.2
  fall 3
  rise 3
}
vrrp_instance V {
  interface eth0
  virtual_router_id 51
  state BACKUP
  priority 100
  advert_int 1
  track_target {
    FAR
  }
  virtual_ipaddress {
    10.0.0.100/24
  }
}
`;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
});

afterAll(async () => {
  await lab.close();
});

function targetOf({ targets }: StatusAnswer): TargetStatus | undefined {
  return targets?.list[0];
}

function answered(status: StatusAnswer): number {
  return targetOf(status)?.addresses[0]?.answered ?? 0;
}

test.each([
  ['raw-socket', []],
  ['batched socket', ['bench/withoutRawSocket.cjs']],
] as const)('ICMP by %s', async (name, preloads) => {
  const suffix = name.slice(0, 3);
  const [own, far] = (await lab.hosts(`own${suffix}`, `far${suffix}`)) as [Host, Host];
  await lab.link(
    { host: own, name: 'eth0', addresses: ['10.0.0.1/24'] },
    { host: far, name: 'eth0', addresses: ['10.0.0.2/24'] },
  );
  const node = new KeepstateNode(own, config);
  await node.start(...preloads);
  await node.waitForRole('MASTER');
  expect((await node.status()).targets?.icmpSocket).toBe(name);

  const flood = far.startTypescript('test/support/net/echoFlood.ts', [
    ...['10.0.0.2', '10.0.0.1', String(rate), String(floodSeconds)],
  ]);
  await node.waitForStatus(
    (status) => targetOf(status)?.addresses[0]?.state === 'blind',
    'a flooded target',
  );
  // From now on each answer would be a forged one.
  await far.nft(
    'table ip t { chain c { type filter hook input priority 0; icmp type echo-request drop; }; }',
  );
  const before = await node.status();
  const isFlooding = (): boolean => flood.isRunning;
  let last = before;
  while (isFlooding()) {
    const status = await node.status();
    if (isFlooding()) last = status;
  }
  expect(last.role).toBe('MASTER');
  expect(targetOf(last)).toMatchObject({ standing: 'reached', counts: false });
  // One that was on its way may have come.
  expect(answered(last)).toBeLessThanOrEqual(answered(before) + 1);
  expect(last.targets?.junk).toBeGreaterThan(1_000);
  expect(last.targets?.floods).toBeGreaterThan(1);
  expect(last.problems.map(({ code }) => code)).toContain('target-blind');

  await node.waitForRole('FAULT');
  expect(targetOf(await node.status())).toMatchObject({ standing: 'lost', counts: true });
  await far.nft('delete table ip t');
  await node.waitForRole('MASTER');
  const entered = (await node.history()).flatMap(({ kind, to }) =>
    kind === 'instance' ? [to] : [],
  );
  expect(entered).toEqual(['BACKUP', 'MASTER', 'FAULT', 'BACKUP', 'MASTER']);
  await node.stop();
});
