/**
 * The log of connections that ended: one line each, as conntrackd 1.4.7 writes it in its mode
 * `Stats`, or one JSON object. The line is made of the kernel's own message about the end, which
 * has the counters; of the record where a comparison found the end and there is no message.
 *
 *   Fri Nov 20 15:51:58 2026^Itcp      6 TIME_WAIT src=10.1.0.10 dst=203.0.113.80 sport=55796 ...
 */
import { DecodeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Clock, Timers, Turns } from '../../base/time.js';
import type { EventMessage } from '../../conntrack/kernel/kernelEvents.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { ByteText, chunk, type Chunk } from '../../conntrack/text/byteText.js';
import { ctime } from '../../conntrack/text/ctime.js';
import { flowLine } from '../../conntrack/text/flowLine.js';
import type { FlowView } from '../../conntrack/text/flowView.js';
import { writeFlowLine } from '../../conntrack/text/lineWriter.js';
import { direction, MessageIndex, part } from '../../conntrack/text/messageIndex.js';
import { flowFromMessage } from '../../conntrack/text/messageView.js';
import { flowFromRecord } from '../../conntrack/text/recordView.js';
import type { EndedFlows } from '../local/endedFlows.js';
import type { StatisticsOutput } from '../messages.js';
import type { StatisticsSettings } from '../settings.js';
import { endedFlowJson } from './endedJson.js';
import { FileOutput } from './fileOutput.js';
import type { LogFiles } from './logFiles.js';
import { SyslogOutput } from './syslogOutput.js';

export interface StatisticsPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly logger: Logger;
  readonly files: LogFiles;
  /** One datagram to the local syslog daemon; 0, or a positive errno. Does not wait. */
  readonly sendSyslog: (datagram: Uint8Array) => number;
}

/** What the role says of this node's connections; without a role all of them are its own. */
export interface Serving {
  readonly isServing: boolean;
  readonly isTakingOver: boolean;
}

/** Lines are handed on in blocks of this size, or at the end of a turn of the event loop. */
const blockBytes = 32_768;
/** A line never reaches the end of the buffer, so that no block ends in the midst of one. */
const bufferBytes = 65_536;
const lineForm = { withoutTimeout: true } as const;
const sinceTakeover = chunk(' since=takeover');
/** `Fri Nov 20 15:51:58 2026` and the tab. */
const dateLength = 25;

export class EndedFlowLog implements EndedFlows {
  readonly #ports: StatisticsPorts;
  readonly #out: ByteText;
  readonly #index = new MessageIndex();
  #settings: StatisticsSettings;
  #serving: () => Serving = () => ({ isServing: true, isTakingOver: false });
  #file: FileOutput | undefined;
  #syslog: SyslogOutput | undefined;
  readonly #traffic = { bytes: 0, packets: 0 };
  #logged = 0;
  /** Lines in the buffer. */
  #lines = 0;
  /** Read once in a turn of the event loop. */
  #nowSeconds = 0;
  #date: Chunk = chunk('');
  #datedSeconds = -1;
  #isScheduled = false;

  constructor(settings: StatisticsSettings, ports: StatisticsPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#out = new ByteText(bufferBytes, (bytes) => {
      this.#handOn(bytes);
    });
    this.#open();
  }

  get isServing(): boolean {
    return this.#serving().isServing;
  }

  get isTakingOver(): boolean {
    return this.#serving().isTakingOver;
  }

  /** Whose the connections are from now on. */
  serve(serving: () => Serving): void {
    this.#serving = serving;
  }

  get logged(): number {
    return this.#logged;
  }

  /** Of connections that ended, both directions; stays 0 without nf_conntrack_acct. */
  get traffic(): { readonly bytes: number; readonly packets: number } {
    return this.#traffic;
  }

  get outputs(): readonly StatisticsOutput[] {
    return [this.#file?.status, this.#syslog?.status].filter((output) => output !== undefined);
  }

  ended(flow: FlowCursor, event: EventMessage | undefined, isTakenOver: boolean): void {
    const isRead = event !== undefined && this.#read(event);
    if (isRead) this.#count();
    if (this.#file === undefined && this.#syslog === undefined) return;
    this.#schedule();
    if (!isRead) {
      this.#writeView(flowFromRecord(flow, { withReply: true }), isTakenOver);
    } else if (this.#settings.json) {
      const { bytes, at, length } = event;
      this.#writeView(flowFromMessage(bytes.subarray(at, at + length)), isTakenOver);
    } else this.#writeLine(isTakenOver);
    this.#out.endLine();
    this.#logged++;
    this.#lines++;
    if (this.#out.length >= blockBytes) this.#out.flush();
  }

  /** After a reload: outputs that are the same go on. */
  async adopt(settings: StatisticsSettings): Promise<void> {
    const before = this.#settings;
    this.#out.flush();
    this.#settings = settings;
    if (before.file === settings.file && before.syslogFacility === settings.syslogFacility) return;
    const closed = this.#closeOutputs();
    this.#open();
    await closed;
  }

  /** The file was renamed. */
  reopen(): void {
    this.#out.flush();
    this.#file?.reopen();
  }

  /** Resolves when what can be written is. */
  close(): Promise<void> {
    this.#out.flush();
    return this.#closeOutputs();
  }

  #open(): void {
    const { file, syslogFacility } = this.#settings;
    this.#file = file === undefined ? undefined : new FileOutput(file, this.#ports);
    this.#syslog =
      syslogFacility === undefined ? undefined : new SyslogOutput(syslogFacility, this.#ports);
  }

  async #closeOutputs(): Promise<void> {
    const file = this.#file;
    this.#syslog?.close();
    this.#file = undefined;
    this.#syslog = undefined;
    await file?.close();
  }

  /** False where the text's reader, unlike the record's, refuses the message. */
  #read({ view, bytes, at, length }: EventMessage): boolean {
    try {
      this.#index.read(view, bytes, at, length);
      return true;
    } catch (error) {
      if (error instanceof DecodeError) return false;
      throw error;
    }
  }

  #count(): void {
    const index = this.#index;
    for (const base of [direction.original, direction.reply]) {
      if (!index.has(base + part.packets) || !index.has(base + part.bytes)) continue;
      this.#traffic.packets += wide(index, base + part.packets);
      this.#traffic.bytes += wide(index, base + part.bytes);
    }
  }

  #writeLine(isTakenOver: boolean): void {
    this.#writeDate();
    writeFlowLine(this.#out, this.#index, lineForm, { nowSeconds: this.#nowSeconds });
    this.#writeSince(isTakenOver);
  }

  #writeView(view: FlowView, isTakenOver: boolean): void {
    if (this.#settings.json) {
      this.#out.text(endedFlowJson(view, this.#ports.clock.wallClock(), isTakenOver));
      return;
    }
    this.#writeDate();
    this.#out.text(flowLine(view, { withoutTimeout: true }));
    this.#writeSince(isTakenOver);
  }

  #writeSince(isTakenOver: boolean): void {
    if (isTakenOver && this.#settings.sinceTakeover) this.#out.put(sinceTakeover);
  }

  #writeDate(): void {
    const seconds = this.#nowSeconds;
    if (seconds !== this.#datedSeconds) {
      this.#datedSeconds = seconds;
      this.#date = chunk(`${ctime(BigInt(seconds) * 1_000_000_000n)}\t`);
    }
    this.#out.put(this.#date);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nowSeconds = Math.floor(this.#ports.clock.wallClock() / 1_000_000);
    this.#ports.turns.next(() => {
      this.#isScheduled = false;
      this.#out.flush();
    });
  }

  #handOn(bytes: Uint8Array): void {
    const lines = this.#lines;
    this.#lines = 0;
    this.#file?.write(bytes, lines);
    if (this.#syslog === undefined) return;
    const skipped = this.#settings.json ? 0 : dateLength;
    for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
      if (line !== '') this.#syslog.write(line.slice(skipped));
    }
  }
}

/** A counter of 64 bits, exact up to 2^53. */
function wide({ view, at }: MessageIndex, slot: number): number {
  const offset = at[slot] ?? 0;
  return view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4);
}
