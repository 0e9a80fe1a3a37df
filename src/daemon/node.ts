/**
 * One running node: the VRRP router, the sync worker's supervisor, the role coordinator between
 * them, and what is shown and kept of it. Decides nothing; compose.ts constructs it on real things.
 */
import { join } from 'node:path';
import { Lateness } from '../base/lateness.js';
import { addTime, milliseconds, subtractTime } from '../base/time.js';
import type { ArmedTimer, Microseconds } from '../base/time.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import type { ControlResult } from '../control/protocol.js';
import type { StatusAnswer } from '../control/statusAnswer.js';
import type { SyncCommand, SyncReport } from '../sync/messages.js';
import type { RouterObserver } from '../vrrp/routerPorts.js';
import { movingAddresses } from '../vrrp/addresses/interfaceAddresses.js';
import type { VrrpRouter } from '../vrrp/router.js';
import type { NodeOptions, NodePorts } from './nodePorts.js';
import { besideControl } from '../control/besideControl.js';
import type { CoordinatorRunner, OperatorRequest } from '../coordinator/runner.js';
import { History } from './disk/history.js';
import type { MachineWatch } from './host/machineWatch.js';
import { NetworkReporter } from './host/networkReporter.js';
import { membersOf, RoleMemory } from './disk/roleMemory.js';
import { Afterwards, lookForOtherMaster, roleObserver } from './roles/roleObserver.js';
import { ProblemKeeper, type AcknowledgeRequest } from './status/problemKeeper.js';
import { RoleRecorder } from './roles/roleRecorder.js';
import { makeCoordinator } from './roles/nodeCoordinator.js';
import { ReachExchange } from './roles/reachExchange.js';
import { RoleSender } from './roles/roleSender.js';
import { VrrpWitness } from './roles/vrrpWitness.js';
import { serviceStatusLine } from './status/serviceStatusLine.js';
import { bindingsOf, coordinatorSettings, workerSettings, workerViews } from './settingsViews.js';
import { stateFolder } from './disk/stateFolder.js';
import { assembleStatus, findProblems, type StatusSource } from './status/statusAssembly.js';
import { handOverBeforeStop, stopStep } from './stopStep.js';
import { samplePeriodOf, tickPeriodOf } from './roles/tickPeriod.js';
import { ClientsServed } from './worker/clientsServed.js';
import { handlePlainReport } from './worker/plainReports.js';
import { toCoordinator } from './worker/syncReports.js';
import { keysCommand } from './worker/sealKeys.js';
import { WorkerSupervisor } from './worker/workerSupervisor.js';

export class KeepstateNode {
  readonly #ports: NodePorts;
  readonly #options: NodeOptions;
  #settings: NodeSettings;
  readonly router: VrrpRouter;
  readonly #supervisor: WorkerSupervisor | undefined;
  readonly #coordinator: CoordinatorRunner | undefined;
  readonly #reporter: NetworkReporter | undefined;
  readonly history: History;
  readonly #recorder: RoleRecorder;
  readonly #afterwards: Afterwards;
  readonly memory: RoleMemory;
  readonly #keeper: ProblemKeeper;
  readonly #roleSender: RoleSender | undefined;
  readonly #witness: VrrpWitness;
  readonly #reach: ReachExchange | undefined;
  readonly #machineWatch: MachineWatch;
  /** Of the last twenty ticks. */
  readonly #lateness = new Lateness(20);
  readonly #startedAt: Microseconds;
  #tick: ArmedTimer | undefined;
  #isStopping = false;
  readonly #served: ClientsServed;
  #lastTick: Microseconds;
  #lastSample: Microseconds;

  constructor(settings: NodeSettings, ports: NodePorts, options: NodeOptions) {
    this.#settings = settings;
    this.#ports = ports;
    this.#options = options;
    this.#startedAt = ports.clock.wallClock();
    this.#lastTick = ports.clock.now();
    this.#lastSample = this.#lastTick;
    const { keepstate, binding } = settings;
    const worker = workerSettings(settings);
    const [{ controlPath }, { logger, disk }] = [options, ports];
    const folder = stateFolder(keepstate.stateDirectory, controlPath, logger, disk);
    const historyPath = join(folder, 'history.jsonl');
    this.history = new History(historyPath, keepstate.historySize, logger, disk);
    this.#recorder = new RoleRecorder(this.history, ports.clock);
    this.#afterwards = new Afterwards(ports.timers);
    this.memory = new RoleMemory(controlPath, folder, logger, disk);
    this.#keeper = new ProblemKeeper(ports.clock, this.memory, ports.problemsNoted);
    this.#machineWatch = ports.watchMachine(() => this.#settings);
    const post = (command: SyncCommand): void => this.#supervisor?.post(command);
    if (worker !== undefined) {
      const workerPorts = {
        ...ports,
        start: ports.startWorker,
        onReport: (report: SyncReport) => this.#reported(report),
        onDown: (because: string) => this.#coordinator?.input({ kind: 'workerDown', because }),
      };
      this.#supervisor = new WorkerSupervisor(workerPorts, {
        settings: worker,
        listingPath: besideControl(controlPath, 'flows.sock'),
        clientPath: settings.general.unixPath,
        records: ports.record !== undefined,
        hasRole: binding.kind !== 'none',
        keys: () => keysCommand(this.#settings, this.memory.sealedWith),
      });
    }
    if (settings.sync !== undefined) {
      this.#roleSender = new RoleSender(post);
      this.#reporter = new NetworkReporter({
        network: ports.network,
        timers: ports.timers,
        post,
        virtualAddresses: () => movingAddresses(this.#settings.vrrp).map(({ address }) => address),
        linkNames: () => this.#settings.sync?.links.map((link) => link.interfaceName) ?? [],
      });
      if (binding.kind !== 'none') {
        const [recorder, afterwards, memory] = [this.#recorder, this.#afterwards, this.memory];
        const kept = { recorder, afterwards, memory, settings: coordinatorSettings(settings) };
        const unitControl = (): VrrpRouter => this.router;
        this.#coordinator = makeCoordinator(binding.name, { ports, post, unitControl, ...kept });
      }
    }
    this.#served = new ClientsServed(ports.timers, worker !== undefined);
    if (ports.reach !== undefined) {
      this.#reach = new ReachExchange({
        ...{ ...ports, ...ports.reach, post },
        router: () => this.router,
        coordinator: () => this.#coordinator,
        bound: () => this.#bound,
        syncStatus: () => this.#supervisor?.status,
        peerWasKeepstate: () => this.memory.peerWasKeepstate,
        hasPeerChannel: () => this.#settings.sync !== undefined,
      });
    }
    this.#witness = new VrrpWitness({
      coordinator: () => this.#coordinator,
      clock: ports.clock,
      roles: () => this.router.roles(),
      bound: () => this.#bound,
    });
    this.router = ports.makeRouter(settings.vrrp, {
      observer: this.#observer(),
      bindings: bindingsOf(settings),
      resume: this.memory.resumable(settings.vrrp, this.#lastTick),
      awaited: this.memory.awaited(settings.vrrp, this.#lastTick),
      inMaintenance: this.memory.maintenance,
      signedNumbers: this.memory.signedNumbers,
      isTranslated: (address) => this.#machineWatch.isTranslated(address),
      notifyAfter: this.#served.promise,
    });
  }

  get settings(): NodeSettings {
    return this.#settings;
  }

  get supervisor(): WorkerSupervisor | undefined {
    return this.#supervisor;
  }

  async start(): Promise<void> {
    this.#supervisor?.start();
    this.#reach?.apply(this.#settings.vrrp, bindingsOf(this.#settings));
    this.#reach?.tick();
    await this.router.start();
    // Looks through files and processes: the first advertisement does not wait for that.
    this.#machineWatch.start();
    this.#onTick();
    await this.#served.promise;
    this.#ports.service.ready(serviceStatusLine(this.router.roles(), this.#supervisor), () =>
      this.#isAlive(),
    );
  }

  /** The settings were validated; what cannot change in a running daemon was refused before. */
  async reload(settings: NodeSettings): Promise<string> {
    this.#settings = settings;
    this.#reach?.apply(settings.vrrp, bindingsOf(settings));
    await this.router.reload(settings.vrrp, bindingsOf(settings));
    this.#coordinator?.reload(coordinatorSettings(settings));
    this.#reporter?.sendAll();
    this.#machineWatch.again();
    const supervisor = this.#supervisor;
    const worker = workerSettings(settings);
    if (worker === undefined || supervisor?.needs(worker) !== true) return 'VRRP settings applied';
    return `settings applied; ${await supervisor.reconfigure(worker)}`;
  }

  /** Priority 0, VIPs removed, the peer told, the worker ended. */
  async stop(): Promise<void> {
    this.#ports.service.stopping();
    this.#tick?.cancel();
    await handOverBeforeStop(this.#ports.timers, this.#supervisor, this.#coordinator, () => {
      this.#onTick();
    });
    this.#isStopping = true;
    this.#reach?.close();
    this.#tick?.cancel();
    this.#reporter?.expectMassDelete();
    const { logger } = this.#ports;
    await stopStep('VRRP', logger, () => this.router.stop());
    this.#afterwards.flush();
    this.#coordinator?.close();
    this.#keeper.save();
    // The role is given up: whoever starts next must not resume it, whatever fails after this.
    this.memory.forget(this.router.signedNumbers());
    await stopStep('the sync engine', logger, async () => this.#supervisor?.stop());
    this.#reporter?.close();
    this.#machineWatch.close();
  }

  /** undefined where nothing is bound. */
  askCoordinator(request: OperatorRequest): Promise<ControlResult> | undefined {
    return this.#coordinator?.ask(request);
  }

  /** Maintenance of a node without a bound role. */
  setMaintenance(on: boolean): void {
    this.router.setMaintenance(on);
    this.memory.setMaintenance(on);
    this.#supervisor?.post({ kind: 'maintenance', on });
  }

  status(): StatusAnswer {
    return assembleStatus(this.noteProblems(), this.#keeper.shown());
  }

  /** Beginnings and ends of problems, as of now; gives what they were found in. */
  noteProblems(): StatusSource {
    const [{ clock }, { keepstate }] = [this.#ports, this.#settings];
    const source = {
      ...this.#options,
      node: keepstate.nodeName,
      startedAt: this.#startedAt,
      now: clock.now(),
      wallClock: clock.wallClock(),
      router: this.router.snapshot(),
      bound: this.#bound,
      phase: this.#coordinator?.phase ?? 'steady',
      maintenance: this.memory.maintenance,
      ...workerViews(this.#settings, this.#supervisor?.picture),
      lateness: this.#lateness.read(),
      rssBytes: process.memoryUsage.rss(),
      targets: this.#reach,
      further: [
        ...this.#recorder.problems(),
        ...this.#machineWatch.problems,
        ...(this.#ports.furtherProblems?.() ?? []),
      ],
      peerWasKeepstate: this.memory.peerWasKeepstate,
      ...this.#ports.alertsShown?.(),
    };
    this.#keeper.observe(findProblems(source));
    return source;
  }

  acknowledge(request: AcknowledgeRequest): ControlResult {
    return this.#keeper.acknowledge(request);
  }

  #observer(): RouterObserver {
    return roleObserver({
      recorder: this.#recorder,
      isGroup: (unit) => this.#settings.vrrp.groups.some((group) => group.name === unit),
      isBound: (unit) => this.#bound === unit,
      membersOf: (unit) => membersOf(this.#settings.vrrp, unit),
      sendToCoordinator: (event) => {
        this.#coordinator?.input(event);
        // A hand-over's last step is awaited at a faster pace.
        if (this.#coordinator?.state.handOver !== undefined) this.#onTick();
      },
      beforeVipsGo: () => this.#reporter?.expectMassDelete(),
      afterwards: this.#afterwards,
      // A crash a moment later must find this role in the file.
      afterRoleChange: () => this.#onTick(),
    });
  }

  #reported(report: SyncReport): void {
    if (report.kind === 'listening') this.#served.now();
    if (report.kind === 'ready') this.#workerReady();
    if (report.kind === 'yieldMerged') {
      this.#afterwards.add(() => this.#recorder.yieldMerged(this.#bound ?? '', report));
    }
    if (report.kind === 'targetsTold') this.#reach?.peerSaid(report.words);
    const event = toCoordinator(report, () => this.#witness.hasResigned());
    if (event === undefined) {
      this.memory.reported(report, this.#bound ?? '', this.#settings);
      handlePlainReport(report, this.#ports);
    } else this.#coordinator?.input(event);
    // The peer's word came before the advert.
    if (report.kind === 'handoverGranted' && this.#witness.isAwaited) this.#onTick();
  }

  #workerReady(): void {
    this.#reporter?.sendAll();
    this.#supervisor?.post({ kind: 'maintenance', on: this.memory.maintenance });
    this.#roleSender?.forget();
    // The peer may have taken the role without the flows of this node.
    const until = this.memory.masterUntil(this.#bound ?? '');
    if (until !== undefined) this.#supervisor?.post({ kind: 'wasMaster', until });
  }

  #onTick(): void {
    this.#tick?.cancel();
    if (this.#isStopping) return;
    const { clock, timers } = this.#ports;
    const now = clock.now();
    this.#lastTick = now;
    const roles = this.router.roles();
    if (this.#coordinator !== undefined) lookForOtherMaster(this.#coordinator, roles, this.#bound);
    this.#witness.look(roles);
    if (subtractTime(now, this.#lastSample) >= samplePeriodOf(roles)) {
      this.#lastSample = now;
      this.#ports.service.status(serviceStatusLine(roles, this.#supervisor));
      if (this.#supervisor?.status?.peer.kind === 'keepstate') this.memory.notePeer(true);
      this.noteProblems();
    }
    this.memory.save(roles, this.router.signedNumbers());
    this.#roleSender?.send(roles, this.#bound);
    this.#reach?.tick();
    const stage = this.#coordinator?.state.handOver?.stage;
    const period = tickPeriodOf(roles, stage === 'resigned' || this.#witness.isAwaited);
    this.#tick = timers.after(period, (due) => {
      this.#lateness.note(subtractTime(clock.now(), due));
      this.#onTick();
    });
  }

  get #bound(): string | undefined {
    const { binding } = this.#settings;
    return binding.kind === 'none' ? undefined : binding.name;
  }

  /** The watchdog's question: did the loop that serves VRRP run lately? */
  #isAlive(): boolean {
    return addTime(this.#lastTick, milliseconds(5_000)) > this.#ports.clock.now();
  }
}
