/**
 * The thread that beats (src/net/native/beat_thread.h): it sends what it is given on each path,
 * notes what arrives, and tells what has changed, at most once in each of its ticks. It knows no
 * roles; what a beat says is bytes to it.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { EEXIST, EINVAL, ENOENT, ENOSPC } from '../../base/errno.js';
import { nativeAddon, type NativeBeatThread } from '../native/load.js';
import { outcomeOf } from '../socket/outcome.js';
import type { KernelOutcome } from '../ports.js';
import { beatPrefix } from './beatFrames.js';
import { newsOf, type BeatNews } from './beatNews.js';
import { readReport, reportWords, type BeatReport } from './beatReport.js';
import { openBeatSocket, openProbeSocket } from './beatSockets.js';
import { decodeHeardBeat, type HeardBeat } from './heardBeat.js';

/** Both must be exceeded: so many milliseconds, and so many of the peer's intervals. */
export interface SilenceLimit {
  readonly milliseconds: number;
  readonly beats: number;
}

export interface BeatPathSettings {
  readonly name: string;
  readonly interfaceName: string;
  /** Of one family. */
  readonly own: IpAddress;
  readonly peer: IpAddress;
  /** UDP, of both ends. */
  readonly port: number;
  /** The peer's, until its first beat shows it; absent: everybody on the segment. */
  readonly linkAddress?: Uint8Array;
  /** At most four beat in each tick; a slow one beats once a second. */
  readonly pace: 'fast' | 'slow';
  readonly limit: SilenceLimit;
}

export interface BeatThreadOptions {
  /** Milliseconds between two ticks, 5 to 1,000. */
  readonly interval: number;
  /** This life of the daemon: 16 hexadecimal digits, by chance. */
  readonly session: string;
  /** Milliseconds for which a main loop may stand still before it is told; 0: for ever. */
  readonly loopLimits: { readonly own: number; readonly peer: number };
  /** Called on this thread, not from inside a method of BeatThread. */
  readonly onNews: (news: readonly BeatNews[], report: BeatReport) => void;
}

/** What the thread does by itself, once the main loop has stood still for so long. */
export interface Standing {
  /** Milliseconds; those in which the whole process was stopped count for `content` alone. */
  readonly after: number;
  /** Said in place of the usual content, until the loop turns again. */
  readonly content: Uint8Array;
  /**
   * SIGKILL to this process where a beat that the peer sends then has one of `bits` in byte `offset`
   * of its content.
   */
  readonly endsOn?: { readonly offset: number; readonly bits: number };
}

const mostFast = 4;
const mostPaths = 64;
const mostBeatBytes = 560;
const slowMilliseconds = 1_000;

export class BeatThread {
  readonly #native: NativeBeatThread;
  readonly #options: BeatThreadOptions;
  readonly #words = reportWords();
  readonly #paths = new Map<string, { readonly index: number; readonly pace: 'fast' | 'slow' }>();
  #report: BeatReport | undefined;

  /**
   * Whether beats can be sealed: Node.js exports OpenSSL's HMAC. Where it does not, `useKey`
   * refuses (ENOSYS), and beats under a key are the main thread's to send.
   */
  static canSeal(): boolean {
    const one = new Uint8Array(1);
    return nativeAddon().hmacSha256(one, one, new Uint8Array(32)) === 0;
  }

  /**
   * Starts the thread, one real-time step below the calling one where that has such a priority.
   * The errno is EINVAL for an interval or session that is none, EAGAIN without threads.
   */
  static start(
    options: BeatThreadOptions,
  ):
    | { readonly kind: 'started'; readonly thread: BeatThread }
    | { readonly kind: 'refused'; readonly errno: number } {
    const thread = new BeatThread(options);
    const errno = thread.#start();
    return errno === 0 ? { kind: 'started', thread } : { kind: 'refused', errno };
  }

  private constructor(options: BeatThreadOptions) {
    this.#native = new (nativeAddon().NativeBeatThread)();
    this.#options = options;
  }

  #start(): number {
    const { interval, session, loopLimits } = this.#options;
    if (!Number.isInteger(interval) || interval < 5 || interval > 1_000) return EINVAL;
    if (!isSession(session)) return EINVAL;
    this.believe(undefined);
    this.#native.setLoopLimits(loopLimits.own, loopLimits.peer);
    // Without a loop-back silence is believed without a probe; the report counts it.
    const probe = openProbeSocket();
    if (probe.kind === 'value') {
      const { descriptor, link } = probe.value;
      this.#native.setProbe(descriptor, link, Buffer.from(session, 'hex'));
    }
    return this.#native.start(interval, () => this.#tell());
  }

  /**
   * What each beat says from the next tick on; before the first call nothing is sent. EMSGSIZE above
   * 512 bytes.
   */
  say(content: Uint8Array, standing?: Standing): KernelOutcome {
    const { after = 0, content: other = content, endsOn } = standing ?? {};
    const { offset = 0, bits = 0 } = endsOn ?? {};
    return outcomeOf(this.#native.setBeat(content, other, after, offset, bits));
  }

  /**
   * The peer's session: beats of another one are told as a stranger's and count for nothing. Each
   * path is unknown until a beat of this session was heard. Refused with EINVAL where it is none.
   */
  believe(session: string | undefined): KernelOutcome {
    if (session !== undefined && !isSession(session)) return outcomeOf(EINVAL);
    const peer = Buffer.from(session ?? '', 'hex');
    const own = Buffer.from(this.#options.session, 'hex');
    return outcomeOf(this.#native.setSessions(own, peer));
  }

  /**
   * Seals and verifies with this key from now on: HMAC-SHA-256, cut to 16 bytes. The bytes are zero
   * afterwards. undefined: a plain checksum. Each path is unknown until it is heard again. Refused
   * with ENOSYS where `canSeal` is false.
   */
  useKey(key: Uint8Array | undefined): KernelOutcome {
    return outcomeOf(this.#native.setKey(key ?? new Uint8Array(0)));
  }

  /**
   * Opens the path's packet socket in this thread's network namespace (CAP_NET_RAW). `exists`: the
   * name is in use. ENODEV without the interface, EINVAL for two families, ENOSPC beyond 64 paths
   * or four fast ones.
   */
  addPath(settings: BeatPathSettings): KernelOutcome {
    const { name, pace, own, peer, limit } = settings;
    if (this.#paths.has(name)) return outcomeOf(EEXIST);
    if (own.family !== peer.family) return outcomeOf(EINVAL);
    const index = this.#freeIndex(pace);
    if (index === undefined) return outcomeOf(ENOSPC);
    const opened = openBeatSocket(settings.interfaceName, settings, settings.linkAddress);
    if (opened.kind === 'refused') return outcomeOf(opened.errno);
    const { descriptor, link } = opened.value;
    const divider =
      pace === 'fast' ? 1 : Math.max(1, Math.round(slowMilliseconds / this.#options.interval));
    const prefix = beatPrefix(settings);
    const { milliseconds, beats } = limit;
    const errno = this.#native.setPath(
      ...([index, descriptor, prefix, link, divider, milliseconds, beats] as const),
    );
    if (errno === 0) this.#paths.set(name, { index, pace });
    return outcomeOf(errno);
  }

  #freeIndex(pace: 'fast' | 'slow'): number | undefined {
    const paths = [...this.#paths.values()];
    if (pace === 'fast' && paths.filter((path) => path.pace === 'fast').length >= mostFast) {
      return undefined;
    }
    const used = new Set(paths.map(({ index }) => index));
    for (let index = 0; index < mostPaths; index++) if (!used.has(index)) return index;
    return undefined;
  }

  /** `absent`, as in the two below: there is no such path. */
  removePath(name: string): KernelOutcome {
    return this.#ofPath(name, (index) => {
      this.#paths.delete(name);
      return this.#native.removePath(index);
    });
  }

  limitPath(name: string, { milliseconds, beats }: SilenceLimit): KernelOutcome {
    return this.#ofPath(name, (index) => this.#native.setPathLimits(index, milliseconds, beats));
  }

  /** It ended in order (the peer said so): unknown until it is heard again. */
  forgetPath(name: string): KernelOutcome {
    return this.#ofPath(name, (index) => this.#native.forgetPath(index));
  }

  #ofPath(name: string, act: (index: number) => number): KernelOutcome {
    const path = this.#paths.get(name);
    return outcomeOf(path === undefined ? ENOENT : act(path.index), [ENOENT]);
  }

  /** As it is now. What has changed is told by the next news all the same. */
  report(): BeatReport {
    return readReport(this.#words, this.#native.takeReport(this.#words, false));
  }

  #tell(): void {
    const before = this.#report;
    const report = readReport(this.#words, this.#native.takeReport(this.#words, true));
    this.#report = report;
    const { loopLimits, onNews } = this.#options;
    const bytes = new Uint8Array(mostBeatBytes);
    const read = (length: number): HeardBeat => decodeHeardBeat(bytes.subarray(0, length));
    const news = newsOf(before, report, {
      names: new Map([...this.#paths].map(([name, { index }]) => [index, name])),
      ownLoopLimit: loopLimits.own,
      beat: report.hasBeat ? read(this.#native.takeBeat(bytes)) : undefined,
      stranger: report.hasStranger ? read(this.#native.takeStranger(bytes)) : undefined,
    });
    if (news.length > 0) onNews(news, report);
  }

  /** Ends the thread and closes its sockets; the key is wiped. Nothing is told afterwards. */
  close(): void {
    this.#native.close();
    this.#paths.clear();
  }
}

function isSession(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}
