/**
 * Plays a script on a world and writes down the answers. What goes to the kernel is encoded, and
 * what comes is read, by the product's own code.
 */
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import {
  encodeCreate,
  encodeDelete,
  encodeGet,
  encodeLiberalWindows,
  encodeUpdate,
  largestRequest,
} from '../../../src/conntrack/codec/flowRequests.js';
import { messageFlag, messageType } from '../../../src/conntrack/constants.js';
import { FlowCommit } from '../../../src/conntrack/kernel/flowCommit.js';
import { FlowInjector } from '../../../src/conntrack/kernel/flowInjector.js';
import { KernelCount } from '../../../src/conntrack/kernel/kernelCount.js';
import { openInjectionSocket } from '../../../src/conntrack/kernel/injectionSocket.js';
import { addressRole, deriveReply, recordWord } from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { errnoName } from '../../../src/base/errno.js';
import { newTable } from '../../support/conntrack/flowKernel.js';
import { upsert } from '../../support/conntrack/records.js';
import { segment } from '../kernel/tcpTracking.js';
import { inOrder, parseTuple, recordOf, tupleText } from './flowText.js';
import { EventSocket, fillingNetwork, RequestSocket, tableLines } from './scriptSockets.js';
import type { Answer, AnswerFields, FlowSpec, Operation, Recording, Script } from './script.js';
import type { OpenWorld, TruthWorld } from './truthWorld.js';
import { WatchedTable } from './watchedTable.js';

type Step<Name extends Operation['op']> = Extract<Operation, { op: Name }>;

const flowsPerBatch = 128;
const flowsPerSource = 60_000;

/** Opens a world, plays, and closes it. */
export async function playScript(script: Script, open: OpenWorld): Promise<Recording> {
  const world = await open(script.rules);
  const player = new Player(world);
  try {
    const answers: Answer[] = [];
    for (const step of script.steps) answers.push(await player.play(step));
    const table = await tableLines(world);
    return script.choosesPorts === true
      ? withoutChosen({ name: script.name, answers, table }, script)
      : { name: script.name, answers, table };
  } finally {
    player.close();
  }
}

class Player {
  readonly #world: TruthWorld;
  readonly #ownPorts = new Set<number>();
  readonly #names = new NameTable();
  readonly #requests: RequestSocket;
  #events: EventSocket | undefined;
  #watched: WatchedTable | undefined;
  #filled = 0;

  constructor(world: TruthWorld) {
    this.#world = world;
    this.#requests = world.enter(() => new RequestSocket());
    this.#ownPorts.add(this.#requests.portId);
  }

  close(): void {
    this.#requests.close();
    this.#events?.close();
    this.#watched?.close();
  }

  async play(step: Operation): Promise<Answer> {
    switch (step.op) {
      case 'packet':
        return this.#packet(step);
      case 'create':
      case 'update':
      case 'delete':
      case 'liberal':
      case 'get':
        return this.#request(step);
      case 'commit':
        return this.#commit(step);
      case 'purge':
        return this.#inject(step.flows, (injector, flow) => {
          injector.remove(flow, 0);
        });
      case 'inject':
        return this.#inject(step.flows, (injector, flow, spec) => {
          injector.update(flow, 0, spec.timeout ?? 100);
        });
      case 'listen':
        this.#events = this.#world.enter(() => new EventSocket(step, this.#isOwn));
        return null;
      case 'read':
        return this.#events?.read(step.limit ?? Infinity) ?? null;
      case 'unlisten':
        this.#events?.close();
        this.#events = undefined;
        return null;
      case 'watch':
        this.#watched = new WatchedTable(this.#world, step, this.#isOwn);
        await this.#watched.start();
        return null;
      case 'settle':
        return (await this.#watched?.settle()) ?? null;
      case 'burst':
        return this.#burst(step);
      case 'flush':
        return this.#flush(step);
      case 'fill':
        return this.#fill(step.leaving);
      case 'table':
        return tableLines(this.#world);
      case 'count':
        return this.#count() - this.#filled;
      default:
        return this.#environment(step);
    }
  }

  readonly #isOwn = (portId: number): boolean => this.#ownPorts.has(portId);

  async #environment(
    step: Step<'wait'> | Step<'sysctl'> | Step<'address'> | Step<'link'>,
  ): Promise<null> {
    switch (step.op) {
      case 'wait':
        await this.#world.wait(step.seconds);
        return null;
      case 'sysctl':
        await this.#world.sysctl(step.name, step.value);
        return null;
      case 'address':
        await this.#world.address(step.change, step.side, step.address);
        return null;
      case 'link':
        await this.#world.link(step.side, step.isUp);
        return null;
    }
  }

  async #packet(step: Step<'packet'>): Promise<Answer> {
    const sent = await this.#world.send({
      from: step.from,
      tuple: parseTuple(step.tuple),
      tcpFlags: flagBits(step.flags ?? ''),
      connection: step.connection ?? 'a',
      data: step.data ?? 0,
      scale: step.scale,
      outsideWindow: step.outsideWindow === true,
      again: step.again === true,
    });
    return sent === undefined ? null : tupleText(sent);
  }

  #request(step: Step<'create' | 'update' | 'delete' | 'liberal'> | Step<'get'>): Answer {
    const flow = recordOf(step.flow, this.#names);
    const how = { timeoutSeconds: step.flow.timeout ?? 100, windowTracking: false };
    return this.#requests.ask((out, flags) => {
      switch (step.op) {
        case 'create':
          encodeCreate(out, flow, 1, how, flags);
          break;
        case 'update':
          encodeUpdate(out, flow, 1, how, flags);
          break;
        case 'delete':
          encodeDelete(out, flow, 1, false, flags);
          break;
        case 'liberal':
          encodeLiberalWindows(out, flow, 1, flags);
          break;
        case 'get':
          encodeGet(out, flow, 1);
          break;
      }
    });
  }

  async #commit(step: Step<'commit'>): Promise<Answer> {
    const table = newTable(this.#names);
    const nowSeconds = Math.floor(this.#world.clock.now() / 1_000_000);
    for (const spec of step.flows) upsert(table, recordOf(spec, this.#names), nowSeconds);
    const { fixedTimeout } = step;
    const commit = this.#world.enter(
      () =>
        new FlowCommit(
          table,
          {
            windowTracking: step.windowTracking === true,
            onExisting: step.onExisting,
            overdue: 'keep',
            ...(fixedTimeout === undefined ? {} : { fixedTimeoutSeconds: fixedTimeout }),
          },
          this.#world.clock,
          this.#world.turns,
        ),
    );
    this.#ownPorts.add(commit.portId);
    const { committed, failed, replaced, kept, degraded, failures, tableFull } =
      await this.#world.until(commit.done);
    return { committed, failed, replaced, kept, degraded, tableFull, failures: names(failures) };
  }

  #inject(
    flows: readonly FlowSpec[],
    act: (injector: FlowInjector, flow: ReturnType<typeof recordOf>, spec: FlowSpec) => void,
  ): AnswerFields {
    let failed = 0;
    let replaced = 0;
    const failures = new Map<number, number>();
    for (const spec of flows) {
      const flow = recordOf(spec, this.#names);
      const injector = this.#world.enter(
        () =>
          new FlowInjector(
            { windowTracking: false, onExisting: 'replace' },
            { table: { seek: () => flow }, cursor: flow },
          ),
      );
      this.#ownPorts.add(injector.portId);
      act(injector, flow, spec);
      injector.flush();
      failed += injector.counts.failed;
      replaced += injector.counts.replaced;
      for (const [errno, count] of injector.counts.failures) {
        failures.set(errno, (failures.get(errno) ?? 0) + count);
      }
      injector.close();
    }
    return { requested: flows.length, failed, replaced, failures: names(failures) };
  }

  #burst({ count, port, remove }: Step<'burst'>): number {
    return this.#batches(count, (out, i) => {
      const flow = recordOf(
        { original: `udp 10.1.0.2:${port + i}>10.2.0.9:53`, status: 0x08 },
        this.#names,
      );
      const how = { timeoutSeconds: 100, windowTracking: false };
      if (remove === true) encodeDelete(out, flow, i + 1);
      else encodeCreate(out, flow, i + 1, how);
    });
  }

  /** Assured flows that no packet knows of. */
  #fill(leaving: number): number {
    const wanted = this.#world.largestTable - this.#count() - leaving;
    const flow = recordOf({ original: 'tcp 172.16.0.1:1>10.2.0.9:80', state: 3 }, this.#names);
    const how = { timeoutSeconds: 1_000, windowTracking: false };
    const refused = this.#batches(wanted, (out, i) => {
      // 172.16.X.1 as it lies in memory.
      const third = Math.floor(i / flowsPerSource);
      const source = fillingNetwork | (16 << 8) | (third << 16) | (1 << 24);
      flow.setAddressWord(addressRole.originalSource, 0, source);
      flow.set(recordWord.originalPorts, ((1 + (i % flowsPerSource)) << 16) | 80);
      deriveReply(flow);
      encodeCreate(out, flow, i + 1, how);
    });
    this.#filled += wanted - refused;
    return refused;
  }

  /** How many of `count` messages were refused. */
  #batches(count: number, encode: (out: MessageBatch, i: number) => void): number {
    const { socket, portId } = this.#world.enter(() =>
      openInjectionSocket(4 * flowsPerBatch * largestRequest),
    );
    this.#ownPorts.add(portId);
    const out = new MessageBatch(flowsPerBatch * largestRequest);
    let refused = 0;
    for (let i = 0; i < count;) {
      out.clear();
      for (; out.count < flowsPerBatch && i < count; i++) encode(out, i);
      socket.send(out.bytes, undefined, 0, out.length);
      for (let read = socket.receive(); read !== 0; read = socket.receive()) {
        if (read > 0) refused += read;
      }
    }
    socket.close();
    return refused;
  }

  #flush({ mark, zone }: Step<'flush'>): Answer {
    return this.#requests.ask((out, flags) => {
      out.begin(messageType.flowDelete, messageFlag.request | flags, 1, 0);
      if (mark !== undefined) out.u32(8, mark);
      if (zone !== undefined) out.u16(18, zone);
      out.finish();
    });
  }

  #count(): number {
    const counter = this.#world.enter(() => new KernelCount());
    const count = counter.read();
    counter.close();
    if (count === undefined) throw new Error('the kernel does not tell its count');
    return count;
  }
}

/** Ports that no step names, and so were drawn by the kernel, become `*`. */
function withoutChosen({ name, answers, table }: Recording, { steps }: Script): Recording {
  const text = JSON.stringify(steps);
  const hide = (line: string): string =>
    line.replaceAll(/:(\d+)\b/g, (whole, port: string) => (text.includes(port) ? whole : ':*'));
  const hideIn = (answer: Answer): Answer => {
    if (typeof answer === 'string') return hide(answer);
    return isLines(answer) ? answer.map(hide) : answer;
  };
  return { name, answers: answers.map(hideIn), table: inOrder(table.map(hide)) };
}

function isLines(answer: Answer): answer is readonly string[] {
  return Array.isArray(answer);
}

/** `SA` as bits of the TCP header. */
function flagBits(letters: string): number {
  const bits: Readonly<Record<string, number>> = {
    S: segment.syn,
    A: segment.ack,
    F: segment.fin,
    R: segment.rst,
    P: segment.psh,
  };
  return Array.from(letters).reduce((sum, letter) => {
    const bit = bits[letter];
    if (bit === undefined) throw new Error(`no TCP flag: ${letter}`);
    return sum | bit;
  }, 0);
}

function names(failures: ReadonlyMap<number, number>): string[] {
  return [...failures].map(([errno, count]) => `${errnoName(errno)} ${count}`).sort();
}
