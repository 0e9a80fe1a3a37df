import { keepstateCluster, type KeepstateCluster } from '../support/cluster.js';

jest.setTimeout(600_000);

describe('every kind of failover, with connections of every kind running through it', () => {
  let cluster: KeepstateCluster;

  beforeAll(async () => {
    cluster = await keepstateCluster();
  });

  afterAll(async () => {
    await cluster.close();
  });

  test('kill -9 of the master, and its return', async () => {
    await cluster.surviving(async () => {
      const [first, second] = cluster.nodes;
      await first.kill();
      await second.waitForRole('MASTER');
      await first.start();
      await cluster.waitForRoles();
    });
  });

  test('power-off of the master, and its return', async () => {
    await cluster.surviving(async () => {
      await cluster.powerOff(0);
      await cluster.nodes[1].waitForRole('MASTER');
      await cluster.powerOn(0);
      await cluster.waitForRoles();
    });
  });

  test('clean stop of the master, and its return', async () => {
    await cluster.surviving(async () => {
      const [first, second] = cluster.nodes;
      await first.stop();
      await second.waitForRole('MASTER');
      await first.start();
      await cluster.waitForRoles();
    });
  });
});
