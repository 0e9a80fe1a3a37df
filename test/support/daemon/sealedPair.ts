/** A pair whose channels are sealed, and how tests look at it. */
import { writeFileSync } from 'node:fs';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import type { Lab } from '../../lab/lab.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { KeepstateNode } from './keepstateNode.js';
import { pairConfig, type PairConfigOptions } from './pairConfig.js';

const keys = {
  one: '0123456789abcdeffedcba9876543210'.repeat(2),
  two: '89abcdef0123456776543210fedcba98'.repeat(2),
} as const;

export type KeyName = keyof typeof keys;

/** Lines of global_defs; both keys are there. */
export function sealLines(active: 1 | 2 = 1): readonly string[] {
  return [
    'sync_key 1 file:@DIRECTORY@/one.key',
    'sync_key 2 file:@DIRECTORY@/two.key',
    `sync_active_key ${active}`,
  ];
}

export class SealedPair {
  readonly pair: FirewallPair;
  readonly nodes: readonly [KeepstateNode, KeepstateNode];
  readonly #options: Omit<PairConfigOptions, 'index'>;
  #opened = 0;

  /** Started, with roles; a server waits for connections. `preloads` as of KeepstateNode. */
  static async start(
    lab: Lab,
    options: Omit<PairConfigOptions, 'index'> = {},
    ...preloads: readonly string[]
  ): Promise<SealedPair> {
    const made = new SealedPair(await firewallPair(lab), options, sealLines());
    await made.run(...preloads);
    return made;
  }

  /** Not started; `lines` in place of `sealLines()`. */
  static async prepare(lab: Lab, lines: readonly string[]): Promise<SealedPair> {
    return new SealedPair(await firewallPair(lab), {}, lines);
  }

  private constructor(
    pair: FirewallPair,
    options: Omit<PairConfigOptions, 'index'>,
    lines: readonly string[],
  ) {
    this.pair = pair;
    this.#options = options;
    for (const firewall of pair.firewalls) {
      for (const [name, digits] of Object.entries(keys)) {
        writeFileSync(firewall.path(`${name}.key`), `hex:${digits}\n`, { mode: 0o600 });
      }
    }
    const [fw1, fw2] = pair.firewalls;
    this.nodes = [
      new KeepstateNode(fw1, this.config(0, lines)),
      new KeepstateNode(fw2, this.config(1, lines)),
    ];
  }

  /** Until they have their roles. */
  async run(...preloads: readonly string[]): Promise<void> {
    await startServer(this.pair.server);
    await Promise.all(this.nodes.map((node) => node.start(...preloads)));
    await this.nodes[0].waitForRole('MASTER');
    await this.nodes[1].waitForRole('BACKUP');
  }

  /** Connections so far. */
  get opened(): number {
    return this.#opened;
  }

  config(index: 0 | 1, lines: readonly string[]): string {
    const { globalLines = [] } = this.#options;
    return pairConfig({ ...this.#options, index, globalLines: [...globalLines, ...lines] });
  }

  async reload(index: 0 | 1, lines: readonly string[]): Promise<string> {
    const node = this.nodes[index];
    node.writeConfig(this.config(index, lines));
    const { exitCode, stdout, stderr } = await node.cli('reload');
    if (exitCode !== 0) throw new Error(`the reload failed: ${stderr}`);
    return stdout;
  }

  /** Twenty more connections, all of which the standby holds. */
  async openFlows(flows = 20): Promise<StatusAnswer> {
    this.#opened += flows;
    await startTcp(this.pair.client, { server: pairAddresses.server, count: flows });
    return this.nodes[1].waitForStatus(
      ({ sync }) => (sync?.external.entries ?? 0) >= this.#opened && sync?.parity === 'equal',
      `${this.#opened} flows in the cache of the standby`,
    );
  }
}
