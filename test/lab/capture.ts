/**
 * Packets seen on an interface: tcpdump writes them, tests read raw bytes or what tshark decodes.
 */
import { readFileSync } from 'node:fs';
import { run } from './command.js';
import type { Host } from './host.js';
import type { ManagedProcess } from './managedProcess.js';
import { waitFor, type WaitOptions } from './waitFor.js';

export interface CaptureOptions {
  /** pcap filter expression. */
  readonly filter?: string;
  /** tcpdump's -Q. */
  readonly direction?: 'in' | 'out' | 'inout';
}

/** `bytes` starts at the Ethernet header; `time` is seconds since the epoch. */
export interface CapturedFrame {
  readonly time: number;
  readonly bytes: Buffer;
}

export class Capture {
  readonly file: string;
  readonly #tcpdump: ManagedProcess;

  private constructor(file: string, tcpdump: ManagedProcess) {
    this.file = file;
    this.#tcpdump = tcpdump;
  }

  static async start(host: Host, interfaceName: string, options: CaptureOptions): Promise<Capture> {
    const file = host.path(`${interfaceName}.pcap`);
    const tcpdump = host.start([
      ...['tcpdump', '-n', '-i', interfaceName, '-w', file, '-U', '-s', '0', '-Z', 'root'],
      ...['--immediate-mode', '-Q', options.direction ?? 'inout'],
      ...(options.filter === undefined ? [] : [options.filter]),
    ]);
    await tcpdump.waitForOutput('listening on');
    return new Capture(file, tcpdump);
  }

  /** What was captured so far. */
  frames(): CapturedFrame[] {
    return parsePcap(readFileSync(this.file));
  }

  /** Waits until `count` frames are there, and returns all. */
  async waitForFrames(count: number, options: WaitOptions = {}): Promise<CapturedFrame[]> {
    return waitFor(
      () => {
        const frames = this.frames();
        return frames.length >= count ? frames : undefined;
      },
      { description: `${count} captured frames`, ...options },
    );
  }

  async stop(): Promise<CapturedFrame[]> {
    this.#tcpdump.signal('SIGINT');
    await this.#tcpdump.exited();
    return this.frames();
  }

  /** One row per packet: the named fields as tshark prints them (`ip.src`, `vrrp.prio`, …). */
  async fields(names: readonly string[], displayFilter = ''): Promise<string[][]> {
    const text = await run([
      ...['tshark', '-n', '-r', this.file, '-T', 'fields', '-E', 'separator=/t'],
      ...(displayFilter === '' ? [] : ['-Y', displayFilter]),
      ...names.flatMap((name) => ['-e', name]),
    ]);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  /** tshark's full decoding. */
  async json(displayFilter = ''): Promise<unknown[]> {
    const text = await run([
      ...['tshark', '-n', '-r', this.file, '-T', 'json'],
      ...(displayFilter === '' ? [] : ['-Y', displayFilter]),
    ]);
    return JSON.parse(text) as unknown[];
  }
}

/**
 * The classic pcap format with microseconds, as tcpdump writes it; an unfinished last record is
 * left out.
 */
export function parsePcap(file: Buffer): CapturedFrame[] {
  const frames: CapturedFrame[] = [];
  for (let offset = 24; offset + 16 <= file.length;) {
    const length = file.readUInt32LE(offset + 8);
    if (offset + 16 + length > file.length) break;
    const time = file.readUInt32LE(offset) + file.readUInt32LE(offset + 4) / 1e6;
    frames.push({ time, bytes: file.subarray(offset + 16, offset + 16 + length) });
    offset += 16 + length;
  }
  return frames;
}
