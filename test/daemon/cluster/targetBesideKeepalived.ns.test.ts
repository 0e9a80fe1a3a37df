/**
 * A target where there is no peer to compare with counts as keepalived counts a script that pings:
 * the same losses are done to keepstate with `track_target` and to keepalived with `track_script`,
 * each beside a keepalived, and both go through the same roles.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Host } from '../../lab/host.js';
import { Keepalived } from '../../lab/keepalived.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

const target = '10.0.0.10';
const own = ['10.0.0.1', '10.0.0.2'] as const;
const [fall, rise] = [3, 2];
/** Below the other's priority: 150 - 60 < 100. */
const weight = -60;
/** An echo request of ping and of a target as it comes: header, ICMP header, 56 bytes. */
const requestBytes = 84;

const script = `vrrp_script PING {
  script "/bin/ping -n -q -c 1 -W 1 ${target}"
  interval 1
  fall ${fall}
  rise ${rise}
}`;

const targetBlock = `vrrp_track_target PING {
  icmp ${target}
  interval 1
  fall ${fall}
  rise ${rise}
}`;

/** Instance FAULTY has a fault of the loss, instance WEIGHTY a weight. */
function config(index: 0 | 1, block: string, keyword: string): string {
  const instance = (name: string, vrid: number, tracked: string): string => `
vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  state BACKUP
  priority ${index === 0 ? 150 : 100}
  advert_int 1
  unicast_src_ip ${own[index]}
  unicast_peer {
    ${own[1 - index] ?? ''}
  }
  ${keyword} {
    ${tracked}
  }
  virtual_ipaddress {
    10.0.0.${vrid}/32
  }
}`;
  return `global_defs {
  router_id node${index + 1}
  script_user root
}
${block}
${instance('FAULTY', 51, 'PING')}
${instance('WEIGHTY', 52, `PING weight ${weight}`)}
`;
}

/** What the first node has gone through: states of FAULTY, priorities and state of WEIGHTY. */
interface Life {
  readonly states: (name: string) => Promise<readonly string[]>;
  readonly priorities: () => readonly number[];
}

interface Expected {
  readonly faulty: readonly string[];
  readonly weighty: string | undefined;
  readonly priorities: readonly number[];
}

/** Two nodes and what both of them ping, on one segment. */
class Side {
  readonly subject: string;
  readonly life: Life;
  readonly #far: Host;

  private constructor(subject: string, far: Host, life: Life) {
    this.subject = subject;
    this.#far = far;
    this.life = life;
  }

  static async open(lab: Lab, subject: 'keepstate' | 'keepalived'): Promise<Side> {
    const name = (host: string): string => `${subject.slice(4, 6)}${host}`;
    const [one, two, far] = (await lab.hosts(name('1'), name('2'), name('t'))) as [
      Host,
      Host,
      Host,
    ];
    const lan = await lab.bridge(name('l'));
    await lan.attach(one, 'eth0', [`${own[0]}/24`]);
    await lan.attach(two, 'eth0', [`${own[1]}/24`]);
    await lan.attach(far, 'eth0', [`${target}/24`]);
    await Keepalived.start(two, config(1, script, 'track_script'));
    return new Side(
      subject,
      far,
      await (subject === 'keepstate' ? keepstate(one) : keepalived(one)),
    );
  }

  /** The next `count` requests of the first node are lost, and no others; absent: all of these. */
  async lose(count?: number, from = `ip saddr ${own[0]}`): Promise<void> {
    const quota = count === undefined ? '' : `quota until ${requestBytes * count + 1} bytes`;
    await this.#rules(
      `${from} icmp type echo-request ${quota} counter drop; ${from} icmp type echo-request counter accept;`,
    );
  }

  /** Until the first node has asked so often in vain, and then so often not in vain. */
  async probes(lost: number, answered: number): Promise<void> {
    await waitFor(
      async () => {
        const text = await this.#far.exec(['nft', 'list', 'table', 'ip', 'probes']);
        const [drops = 0, accepts = 0] = [...text.matchAll(/packets (\d+)/g)].map(([, n]) =>
          Number(n),
        );
        return drops >= lost && accepts >= answered;
      },
      { description: `${lost} lost and ${answered} answered probes`, interval: 100 },
    );
  }

  async goesThrough(expected: Expected): Promise<void> {
    const seen = async (): Promise<Expected> => ({
      faulty: await this.life.states('FAULTY'),
      weighty: (await this.life.states('WEIGHTY')).at(-1),
      priorities: this.life.priorities(),
    });
    await waitFor(async () => isDeepStrictEqual(await seen(), expected), {
      description: JSON.stringify(expected),
      timeout: 60_000,
    }).catch(() => undefined);
    expect([this.subject, await seen()]).toEqual([this.subject, expected]);
  }

  async #rules(text: string): Promise<void> {
    await this.#far.nft(
      `table ip probes {}\ndelete table ip probes\ntable ip probes { chain c { type filter hook input priority 0; ${text} }; }`,
    );
  }
}

async function keepstate(host: Host): Promise<Life> {
  const node = new KeepstateNode(host, config(0, targetBlock, 'track_target'));
  await node.start();
  return {
    states: async (name) => {
      const history = await node.history();
      return history.flatMap((one) =>
        one.name === name && one.kind === 'instance' ? [one.to] : [],
      );
    },
    priorities: () => priorityChanges(node.process.output, /effective priority changed .*to=(\d+)/),
  };
}

async function keepalived(host: Host): Promise<Life> {
  const daemon = await Keepalived.start(host, config(0, script, 'track_script'));
  return {
    states: (name) => {
      const entered = new RegExp(`\\(${name}\\) Entering (\\w+) STATE`, 'g');
      return Promise.resolve([...daemon.log.matchAll(entered)].map(([, state = '']) => state));
    },
    priorities: () => priorityChanges(daemon.log, /Changing effective priority from \d+ to (\d+)/),
  };
}

function priorityChanges(log: string, pattern: RegExp): readonly number[] {
  return log.split('\n').flatMap((line) => {
    const to = pattern.exec(line)?.[1];
    return line.includes('WEIGHTY') && to !== undefined ? [Number(to)] : [];
  });
}

let lab: Lab;
let sides: readonly Side[];

beforeAll(async () => {
  lab = await Lab.open();
  sides = await Promise.all([Side.open(lab, 'keepstate'), Side.open(lab, 'keepalived')]);
});

afterAll(async () => {
  await lab.close();
});

const start: Expected = { faulty: ['BACKUP', 'MASTER'], weighty: 'MASTER', priorities: [] };
const returned = ['FAULT', 'BACKUP', 'MASTER'];

async function bothGoThrough(expected: Expected): Promise<void> {
  await Promise.all(sides.map((side) => side.goesThrough(expected)));
}

test('both are MASTER while the target answers', async () => {
  await bothGoThrough(start);
});

test(`${fall - 1} losses move nothing`, async () => {
  await Promise.all(
    sides.map(async (side) => {
      await side.lose(fall - 1);
      await side.probes(fall - 1, rise + 1);
    }),
  );
  await bothGoThrough(start);
});

test(`${fall} losses are FAULT or the weight, and ${rise} answers end that`, async () => {
  await Promise.all(sides.map((side) => side.lose(fall)));
  const faulty = [...start.faulty, ...returned];
  await bothGoThrough({ faulty, weighty: 'MASTER', priorities: [90, 150] });
});

test('a loss that lasts moves both roles, and its end brings them back', async () => {
  await Promise.all(sides.map((side) => side.lose()));
  const faulty = [...start.faulty, ...returned, 'FAULT'];
  await bothGoThrough({ faulty, weighty: 'BACKUP', priorities: [90, 150, 90] });
  await Promise.all(sides.map((side) => side.lose(0)));
  await bothGoThrough({
    faulty: [...start.faulty, ...returned, ...returned],
    ...{ weighty: 'MASTER', priorities: [90, 150, 90, 150] },
  });
});

test('what both nodes lose is FAULT all the same: nobody can be asked', async () => {
  await Promise.all(sides.map((side) => side.lose(undefined, 'ip saddr 10.0.0.0/24')));
  const faulty = [...start.faulty, ...returned, ...returned, 'FAULT'];
  await Promise.all(
    sides.map(({ life }) =>
      waitFor(async () => isDeepStrictEqual(await life.states('FAULTY'), faulty), {
        description: 'FAULT of both',
      }),
    ),
  );
});
