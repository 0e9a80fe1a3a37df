/**
 * `keepstate run`: from a configuration file to a running node, and back to nothing at a signal.
 */
import { KeepstateError } from '../base/errors.js';
import { keepalivedSignals } from '../base/keepalivedSignals.js';
import type { LogLevel } from '../base/logger.js';
import { packageVersion } from '../base/packageVersion.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import type { Timers } from '../base/time.js';
import { loadNode, type LoadResult } from '../config/loadNode.js';
import { incumbentNames } from '../config/machine/incumbents.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import { formatProblems, type ConfigProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import { ControlServer } from '../control/server.js';
import { onSignalNumber } from '../net/socket/realTimeSignals.js';
import { sendUnixDatagram } from '../net/socket/unixDatagram.js';
import { inlineMore } from './host/compiler.js';
import { composeNode } from './compose.js';
import { controlHandler } from './controlHandler.js';
import { ConfigWatch } from './host/configWatch.js';
import { writeDump, type DumpKind } from './dumps.js';
import { LockFile } from './disk/lockFile.js';
import { lockNamespace } from './disk/namespaceLock.js';
import { holdAfterRestart } from './roles/holdAfterRestart.js';
import { openLog, severities, type ProcessLog } from './log/log.js';
import type { KeepstateNode } from './node.js';
import { findConflicts, holdsLockFile, isKeepstate } from './host/otherDaemons.js';
import { leavePrivileges, refuseRoot } from './host/leastPrivilege.js';
import { enterOwnNamespace } from './host/ownNamespace.js';
import { nameProcess } from './host/processName.js';
import { PidFile } from './disk/pidFile.js';
import { RecordingFile } from './disk/recordingFile.js';
import { ReadersSocket } from './readersSocket.js';
import { planReload, Reloader } from './reload.js';
import { schedule } from './host/scheduling.js';
import { commandPolicy, workerSettings } from './settingsViews.js';
import { startFailure } from './startFailure.js';
import { serviceEnvironment, ServiceManager } from './host/serviceManager.js';
import { watchFiles } from './host/watchedFiles.js';
import { journalFacts, stderrForm } from './log/journal.js';
import { syslogStream } from './log/syslog.js';
import { unshownKey } from './worker/sealKeys.js';

export interface RunOptions {
  readonly config: string;
  /** Overrides `control_socket`. */
  readonly control?: string;
  readonly logLevel: LogLevel;
  /** keepalived's `-i`. */
  readonly configId?: string;
  /** A file to which each VRRP event is appended, for a replay. */
  readonly record?: string;
}

/** Exit codes: 0 stopped as asked, 1 cannot start, 2 the file cannot be read. */
export async function runDaemon(options: RunOptions): Promise<number> {
  inlineMore();
  const ports = systemLoadPorts(
    options.configId === undefined ? {} : { configId: options.configId },
  );
  const watched = watchFiles(ports.files);
  const load = (): LoadResult => {
    watched.forget();
    return loadNode(options.config, { ...ports, files: watched.files });
  };
  const loaded = load();
  const { settings } = loaded;
  // Before a word is said: the program may be executed anew.
  const notNarrowed = settings === undefined ? undefined : leavePrivileges(settings, options);
  writeProblems(loaded.problems);
  if (settings === undefined) return loaded.readable ? 1 : 2;
  const timers = new SystemTimers(systemClock);
  const log = openConfiguredLog(settings, options.logLevel, timers);
  if (notNarrowed !== undefined) {
    log.log('warning', 'capabilities without use are kept', { reason: notNarrowed });
  }
  try {
    return await new Run(settings, options, log, { load, stamp: watched.stamp }).untilStopped();
  } catch (error) {
    log.log('error', 'keepstate cannot start', startFailure(error, process.geteuid?.() === 0));
    return 1;
  } finally {
    await log.close();
  }
}

/** Before there is a log: for the journal each with its priority, the errors first. */
function writeProblems(problems: readonly ConfigProblem[]): void {
  const isJournal = stderrForm(journalFacts(process.env), false) === 'priority';
  const write = (given: readonly ConfigProblem[], prefix = ''): void => {
    for (const line of formatProblems(given)) process.stderr.write(`${prefix}${line}\n`);
  };
  if (!isJournal) {
    write(problems);
    return;
  }
  for (const severity of ['error', 'warning'] as const) {
    write(
      problems.filter((problem) => problem.severity === severity),
      `<${severities[severity]}>`,
    );
  }
}

interface ConfigFile {
  readonly load: () => LoadResult;
  /** Another text where what was read last has changed on the disk. */
  readonly stamp: () => string;
}

class Run {
  readonly #settings: NodeSettings;
  readonly #options: RunOptions;
  readonly #log: ProcessLog;
  readonly #file: ConfigFile;
  readonly #timers = new SystemTimers(systemClock);
  #stop: () => void = () => undefined;

  constructor(settings: NodeSettings, options: RunOptions, log: ProcessLog, file: ConfigFile) {
    this.#settings = settings;
    this.#options = options;
    this.#log = log;
    this.#file = file;
  }

  async untilStopped(): Promise<number> {
    const settings = this.#settings;
    const stopped = new Promise<void>((resolve) => {
      this.#stop = resolve;
    });
    nameProcess(settings);
    refuseRoot(settings);
    enterOwnNamespace(settings);
    refuseBesideOthers(settings);
    const { record } = this.#options;
    const recording = record === undefined ? undefined : new RecordingFile(record, this.#log);
    const lock =
      workerSettings(settings) === undefined
        ? undefined
        : LockFile.take(settings.general.lockFile, {
            isAlive: isKeepstate,
            isForeignHeld: () => holdsLockFile(settings.general.lockFile),
            logger: this.#log,
          });
    try {
      const service = this.#serviceManager();
      const controlPath = this.#controlPath;
      let current = (): NodeSettings => settings;
      const watch = new ConfigWatch({
        ...this.#file,
        timers: this.#timers,
        plan: (loaded) => planReload(current(), loaded).kind,
      });
      let readers: ReadersSocket | undefined = undefined;
      const composed = await composeNode(settings, {
        configFile: this.#options.config,
        controlPath,
        version: packageVersion(),
        logger: this.#log,
        service,
        onStopRequested: () => this.#stop(),
        recording,
        furtherProblems: () => [...watch.problems(), ...(readers?.problems ?? [])],
      });
      current = () => composed.node.settings;
      const reloader = new Reloader({
        load: this.#file.load,
        logger: this.#log,
        current,
        apply: async (next) => {
          const { memory, supervisor } = composed.node;
          const reason = unshownKey(next, memory.sealedWith, supervisor?.status?.seal);
          const done = await composed.node.reload(next);
          composed.http.apply(next.http);
          composed.alerts.apply(next.alerts ?? [], commandPolicy(next));
          await readers?.apply(next.keepstate.readGroup);
          if (reason === undefined) return done;
          this.#log.log('warning', 'the peer may lack a key', { reason });
          return `${done}; ${reason}`;
        },
        watch,
      });
      const [timers, logger] = [this.#timers, this.#log];
      const handler = controlHandler(composed.node, { timers, reload: () => reloader.reload() });
      const control = await ControlServer.listen({ path: controlPath, handler, timers, logger });
      readers = new ReadersSocket(controlPath, { handler, timers, logger });
      let alone: LockFile | undefined;
      let pidFile: PidFile | undefined;
      try {
        alone = lockNamespace(this.#log);
        const forget = this.#listenToSignals(composed.node, reloader, service);
        if (settings.scheduling !== undefined) {
          schedule(process.pid, settings.scheduling.vrrp, this.#log);
        }
        await readers.apply(settings.keepstate.readGroup);
        // What the start itself brings is told too.
        composed.alerts.apply(settings.alerts ?? [], commandPolicy(settings));
        await composed.node.start();
        holdAfterRestart(composed.node.router, composed.node.memory);
        watch.start();
        composed.http.apply(settings.http);
        pidFile = PidFile.write(settings.keepstate.pidFile, this.#log);
        this.#log.log('notice', 'keepstate runs', { control: controlPath, pid: process.pid });
        await stopped;
        forget();
        watch.close();
        this.#log.log('notice', 'stopping');
        await composed.node.stop();
        await composed.alerts.stop();
      } finally {
        composed.close();
        await readers.close();
        await control.close();
        alone?.release();
        pidFile?.remove();
      }
      this.#log.log('notice', 'stopped');
      return 0;
    } finally {
      await recording?.close();
      lock?.release();
    }
  }

  #listenToSignals(node: KeepstateNode, reloader: Reloader, service: ServiceManager): () => void {
    const stop = (): void => this.#stop();
    const reload = (): void => {
      service.reloading(systemClock.now());
      this.#log.reopen();
      node.supervisor?.post({ kind: 'reopenLogs' });
      void reloader.reload().then(() => service.reloaded());
    };
    const dump =
      (...kinds: readonly DumpKind[]) =>
      (): void => {
        for (const kind of kinds) writeDump(kind, node, this.#controlPath, this.#log);
      };
    const handlers: readonly (readonly [NodeJS.Signals, () => void])[] = [
      ['SIGTERM', stop],
      ['SIGINT', stop],
      ['SIGHUP', reload],
      ['SIGUSR1', dump('data', 'json')],
      ['SIGUSR2', dump('stats')],
    ];
    for (const [signal, handle] of handlers) process.on(signal, handle);
    // Tools that know keepalived send them, and unheard they would end a MASTER.
    onSignalNumber(keepalivedSignals.json, dump('json'));
    // Counters go on.
    onSignalNumber(keepalivedSignals.statsClear, dump('stats'));
    return () => {
      for (const [signal, handle] of handlers) {
        process.off(signal, handle);
        // None of them may end the stop half way.
        process.on(signal, () => undefined);
      }
    };
  }

  get #controlPath(): string {
    return this.#options.control ?? this.#settings.keepstate.controlPath;
  }

  #serviceManager(): ServiceManager {
    const path = process.env['NOTIFY_SOCKET'];
    const send = (text: string): void => {
      if (path === undefined || path === '') return;
      sendUnixDatagram(path, Buffer.from(text));
    };
    return new ServiceManager(send, this.#timers, serviceEnvironment(process.env, process.pid));
  }
}

function openConfiguredLog(settings: NodeSettings, level: LogLevel, timers: Timers): ProcessLog {
  const { logFile, syslogFacility } = settings.general;
  return openLog({
    level,
    timers,
    format: settings.keepstate.logFormat,
    stderr: stderrForm(journalFacts(process.env), syslogFacility !== undefined),
    ...(logFile === undefined ? {} : { file: logFile }),
    ...(syslogFacility === undefined
      ? {}
      : {
          records: syslogStream(syslogFacility, (datagram) => {
            sendUnixDatagram('/dev/log', datagram);
          }),
        }),
  });
}

function refuseBesideOthers(settings: NodeSettings): void {
  const conflicts = findConflicts(incumbentNames(settings));
  const [first] = conflicts;
  if (first === undefined) return;
  const names = conflicts.map(({ program }) => `${program.name} (process ${program.pid})`);
  const remedies = conflicts.map(({ remedy }) => remedy);
  throw new KeepstateError(
    'beside-others',
    `${names.join(' and ')} runs here and does the same work: ${remedies.join('; ')}`,
  );
}
