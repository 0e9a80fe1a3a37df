/**
 * Host `a` with keepstate's engine (or a conntrackd, for comparison) and host `b` with a conntrackd
 * 1.4.7, joined by a cable. `agreement` holds what the four caches say, in conntrackd's words, ages
 * left out.
 */
import { mkdirSync } from 'node:fs';
import type { SyncMode, SyncSettings } from '../../../src/sync/settings.js';
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor, type WaitOptions } from '../../lab/waitFor.js';
import { everyProtocolConfig } from './conntrackdConfig.js';
import { settingsOf, SyncNode, withoutAges } from './node.js';

export interface MixedPairOptions {
  readonly mode: SyncMode;
  readonly kind: 'udp' | 'multicast' | 'tcp';
  readonly family: 4 | 6;
  readonly expectations?: boolean;
  readonly settings?: Partial<SyncSettings>;
  readonly modeLines?: readonly string[];
  /** conntrackd's SndSocketBuffer. */
  readonly sendBufferBytes?: number;
}

/** Each pair of lists is equal where both sides hold the same. */
export interface Agreement {
  readonly ours: readonly string[];
  readonly oursAtPeer: readonly string[];
  readonly theirs: readonly string[];
  readonly theirsHere: readonly string[];
}

const addresses = {
  4: { a: '10.99.0.1', b: '10.99.0.2', group: '225.0.0.50', prefix: 24 },
  6: { a: 'fd00:99::1', b: 'fd00:99::2', group: 'ff02::5050', prefix: 64 },
} as const;
const ignored = ['127.0.0.1', '10.99.0.1', '10.99.0.2', 'fd00:99::1', 'fd00:99::2'];

export class MixedPair {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  keepstate!: SyncNode;
  conntrackd!: Conntrackd;
  readonly #options: MixedPairOptions;

  private constructor(lab: Lab, a: Host, b: Host, options: MixedPairOptions) {
    this.lab = lab;
    this.a = a;
    this.b = b;
    this.#options = options;
  }

  /** Both sides run when it resolves. */
  static async start(options: MixedPairOptions): Promise<MixedPair> {
    const pair = await MixedPair.cable(options);
    await pair.startConntrackd();
    await pair.startKeepstate();
    return pair;
  }

  /** The hosts and the cable alone. */
  static async cable(options: MixedPairOptions): Promise<MixedPair> {
    const lab = await Lab.open();
    const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    const { a: first, b: second, prefix } = addresses[options.family];
    await lab.link(
      { host: a, name: 'sync', addresses: [`${first}/${prefix}`] },
      { host: b, name: 'sync', addresses: [`${second}/${prefix}`] },
    );
    return new MixedPair(lab, a, b, options);
  }

  async startKeepstate(): Promise<void> {
    const { mode, kind, family, expectations, settings } = this.#options;
    const { a: local, b: peer, group } = addresses[family];
    const destination = kind === 'multicast' ? group : peer;
    this.keepstate = await SyncNode.start(
      this.a,
      settingsOf([{ kind, local, destination, interfaceName: 'sync' }], {
        mode,
        refreshTimeSeconds: 3,
        cacheTimeoutSeconds: 60,
        expectationSync: expectations === true ? 'all' : 'off',
        ...settings,
      }),
    );
  }

  /** At `b`, or at `a` in keepstate's place. */
  async startConntrackd(at: 'a' | 'b' = 'b'): Promise<Conntrackd> {
    const { mode, kind, family, expectations, modeLines = [], sendBufferBytes } = this.#options;
    const own = addresses[family];
    const host = this[at];
    const directory = host.path('conntrackd');
    mkdirSync(directory);
    const config = everyProtocolConfig(
      {
        mode,
        kind,
        local: own[at],
        destination: kind === 'multicast' ? own.group : own[at === 'a' ? 'b' : 'a'],
        interfaceName: 'sync',
        modeLines:
          mode === 'ALARM' ? ['RefreshTime 3', 'CacheTimeout 60', ...modeLines] : modeLines,
        expectations: expectations === true,
        ...(sendBufferBytes === undefined ? {} : { sendBufferBytes }),
        ignored,
      },
      directory,
    );
    const started = await Conntrackd.startWithConfig(host, config, directory);
    if (at === 'b') this.conntrackd = started;
    return started;
  }

  async agreement(): Promise<Agreement> {
    return {
      ours: await this.keepstate.list('internal', false),
      oursAtPeer: linesOf(await this.conntrackd.entries('external')),
      theirs: linesOf(await this.conntrackd.entries('internal')),
      theirsHere: await this.keepstate.list('external', true),
    };
  }

  /** Waits until both caches of a node are at the other, and hold that many flows. */
  async agree(ours: number, theirs: number, options: WaitOptions = {}): Promise<Agreement> {
    return waitFor(
      async () => {
        const found = await this.agreement();
        expect(found.oursAtPeer).toEqual(found.ours);
        expect(found.theirsHere).toEqual(found.theirs);
        expect([found.ours.length, found.theirs.length]).toEqual([ours, theirs]);
        return found;
      },
      { description: 'both sides to agree', ...options },
    );
  }

  /** Neither side met anything it could not read. */
  async expectNothingMalformed(): Promise<void> {
    const network = await this.conntrackd.client('-s', 'network');
    for (const what of ['Malformed messages', 'Bad message size', 'Truncated message']) {
      expect(network).toMatch(new RegExp(`${what}:\\s+0\\n`));
    }
    await this.keepstate.request({ verb: 'stats' });
    expect(this.keepstate.status?.peer).toMatchObject({ malformed: 0, strangers: 0 });
  }

  /** Nor missed anything: for pairs whose link loses nothing. */
  async expectNothingLost(): Promise<void> {
    await this.expectNothingMalformed();
    expect(await this.conntrackd.client('-s', 'network')).toMatch(/Packets lost:\s+0\n/);
    expect(this.keepstate.status?.peer).toMatchObject({ lost: 0 });
  }

  async close(): Promise<void> {
    await this.lab.close();
  }
}

/** Sorted, ages left out. */
export function linesOf(entries: readonly string[]): string[] {
  return entries.map(withoutAges).sort();
}
