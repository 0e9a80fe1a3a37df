/**
 * The one typed door to the native addon. Finds `build/Release/keepstate_native.node`, or the one
 * that a package brought along, below the package root, whether this file runs from src/ (tests) or
 * from dist/. KEEPSTATE_NATIVE names
 * another build of it (a packager's path, or the AddressSanitizer build).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { errorText, KeepstateError } from '../../base/errors.js';

/**
 * Called with: > 0 datagrams in the ring; 0 the socket is writable (once); < 0 a negative errno.
 */
export type NativeHandler = (code: number) => void;

/**
 * src/net/native/batched_socket.cc. Methods return 0 or a positive errno unless they say otherwise.
 */
export interface NativeSocket {
  bind(address: Uint8Array): number;
  connect(address: Uint8Array): number;
  setOption(level: number, name: number, value: Uint8Array): number;
  /** Length of the value, or a negative errno. */
  getOption(level: number, name: number, into: Uint8Array): number;
  attachFilter(program: Uint8Array): number;
  /** Length of the address, or a negative errno. */
  getSocketName(into: Uint8Array): number;
  /** `bytes` holds at least 40 bytes (struct ifreq) and is written back. */
  ioctl(request: number, bytes: Uint8Array): number;
  setRing(
    ring: ArrayBuffer,
    cells: number,
    cellBytes: number,
    controlBytes: number,
    ignoresSenders: boolean,
  ): number;
  /** Datagrams now in the ring, 0 when nothing waits, or a negative errno. */
  receive(): number;
  start(
    handler: NativeHandler,
    wantRead: boolean,
    wantWrite: boolean,
    sliceMicroseconds: number,
    restMilliseconds: number,
    lightRestMilliseconds: number,
    restDatagrams: number,
  ): number;
  stop(): void;
  setReferenced(referenced: boolean): void;
  /** `segmentBytes` above 0: UDP datagrams of that size are cut out of the bytes. */
  send(
    bytes: Uint8Array,
    offset: number,
    length: number,
    address: Uint8Array | undefined,
    segmentBytes: number,
  ): number;
  /** Number of datagrams sent; `errnoOut[0]` tells why the rest was not. */
  sendMany(
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
    address: Uint8Array | undefined,
    errnoOut: Uint32Array,
  ): number;
  /** Another descriptor of the same socket, or a negative errno. */
  duplicate(): number;
  close(): void;
}

/**
 * src/net/native/aes_gcm.cc. Methods return 0 or a positive errno (EBADMSG: of nobody with the key).
 */
export interface NativeRecordCipher {
  seal(records: Uint8Array, length: number, clearBytes: number): number;
  open(record: Uint8Array, clearBytes: number, into: Uint8Array): number;
}

/**
 * src/net/native/beat_binding.cc. Methods return 0 or a positive errno unless they say otherwise.
 * A descriptor that is handed over belongs to the thread, whatever the answer.
 */
export interface NativeBeatThread {
  /** `onChange` is called on this thread when a report has something new. */
  start(intervalMilliseconds: number, onChange: () => void): number;
  /**
   * At most 512 bytes each. What is said and done once the main loop has stood still for so long
   * (0: nothing): see `Standing` in src/net/beat/beatThread.ts.
   */
  setBeat(
    content: Uint8Array,
    standingContent: Uint8Array,
    standingAfterMilliseconds: number,
    offset: number,
    bits: number,
  ): number;
  /** No bytes: no key. The bytes are wiped. */
  setKey(key: Uint8Array): number;
  /** 8 bytes each; none for `peer`: nobody is believed. */
  setSessions(own: Uint8Array, peer: Uint8Array): number;
  setLoopLimits(ownMilliseconds: number, peerMilliseconds: number): number;
  /** Before `start`. `link` is a sockaddr_ll, `mark` 8 bytes. */
  setProbe(descriptor: number, link: Uint8Array, mark: Uint8Array): number;
  /** `prefix` is an IP and a UDP header, `divider` the ticks per beat; descriptor -1: no socket. */
  setPath(
    index: number,
    descriptor: number,
    prefix: Uint8Array,
    link: Uint8Array,
    divider: number,
    limitMilliseconds: number,
    leastBeats: number,
  ): number;
  setPathLimits(index: number, limitMilliseconds: number, leastBeats: number): number;
  forgetPath(index: number): number;
  removePath(index: number): number;
  /** As though the IP datagram had come in: 0, the number of a refusal, or a negative errno. */
  deliver(index: number, datagram: Uint8Array): number;
  /** How many paths stand in `into`; `isTold`: what is new now is new no more. */
  takeReport(into: Float64Array, isTold: boolean): number;
  /** Length of header and content, 0 where none was heard, or a negative errno. */
  takeBeat(into: Uint8Array): number;
  takeStranger(into: Uint8Array): number;
  close(): void;
}

export interface NativeAddon {
  /** A descriptor, or a negative errno. */
  openSocket(domain: number, type: number, protocol: number): number;
  readonly NativeSocket: new (descriptor: number) => NativeSocket;
  /** Absent where the program exports no OpenSSL. The key has 16 bytes. */
  readonly RecordCipher?: new (key: Uint8Array) => NativeRecordCipher;
  readonly NativeBeatThread: new () => NativeBeatThread;
  /**
   * src/net/native/beat_seal.cc. Positive errno or 0; `into` has 32 bytes. ENOSYS: Node.js exports
   * no HMAC.
   */
  hmacSha256(key: Uint8Array, bytes: Uint8Array, into: Uint8Array): number;
  /** Moves the calling thread; descriptor of the namespace it was in, or a negative errno. */
  enterNetworkNamespace(path: string): number;
  restoreNetworkNamespace(descriptor: number, doReturn: boolean): number;
  /**
   * flock(2), exclusive, without waiting: 0 or a positive errno (EAGAIN: somebody else has the
   * lock).
   */
  lockFile(descriptor: number): number;
  /** The user id of who connected to a UNIX stream socket, or a negative errno. */
  peerUser(descriptor: number): number;
  /**
   * src/net/native/signal_watch.cc. Positive errno or 0; the handler stays until the environment
   * ends.
   */
  watchSignal(number: number, handler: () => void): number;
  /**
   * src/net/native/privileges.cc. Positive errno; does not return where it worked: `words` runs in
   * this process's place. `capabilities`: bits 0..31 and 32..63. `identity`: user, group and
   * further groups, or empty.
   */
  executeWith(
    capabilities: Uint32Array,
    identity: Uint32Array,
    words: readonly string[],
    environment: readonly string[],
  ): number;
  /**
   * src/net/native/narrow_threads.cc. Positive errno or 0; `capabilities` as above, of each thread
   * of this process.
   */
  narrowThreads(capabilities: Uint32Array): number;
}

let loaded: NativeAddon | undefined;

/** No build of the addon fits this machine, or none is there: whoever installed it must act. */
export class MissingAddonError extends KeepstateError {
  constructor(reason: string) {
    super(
      'addon-missing',
      `the native part of keepstate cannot be loaded (${reason}): install the package of this machine's architecture, or build it in the source tree with npm run build:native`,
    );
  }
}

/** Throws MissingAddonError where no build of the addon can be loaded. */
export function nativeAddon(): NativeAddon {
  loaded ??= load(process.env['KEEPSTATE_NATIVE'] ?? builtPath());
  return loaded;
}

function load(path: string | undefined): NativeAddon {
  const here = `linux-${process.arch}`;
  if (path === undefined) throw new MissingAddonError(`there is none for ${here}`);
  try {
    // Checked boundary: NativeAddon describes what addon.cc exports.
    return createRequire(__filename)(path) as NativeAddon;
  } catch (error) {
    throw new MissingAddonError(errorText(error).split('\n', 1)[0] ?? '');
  }
}

/** Built in this tree, or brought along by a package (`prebuilds/linux-x64`). */
function builtPath(): string | undefined {
  const names = [
    join('build', 'Release', 'keepstate_native.node'),
    join('prebuilds', `linux-${process.arch}`, 'keepstate_native.node'),
  ];
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (!existsSync(join(folder, 'package.json'))) continue;
    const path = names.map((name) => join(folder, name)).find((each) => existsSync(each));
    if (path !== undefined) return path;
  }
  return undefined;
}
