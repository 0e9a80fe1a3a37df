/**
 * The HTTP thread's other end: starts it, gives it looks at the node, starts it again when it dies.
 */
import { Worker } from 'node:worker_threads';
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import { threadFile } from '../../base/threadFile.js';
import type { HistoryEvent } from '../../control/statusAnswer.js';
import type { HttpNews, HttpQuestion, NodeView } from '../../http/httpMessages.js';
import type { HttpSettings } from '../../http/settings.js';
import { problem, type Finding } from '../problemTable/table.js';

export interface HttpPorts {
  readonly logger: Logger;
  readonly timers: Timers;
  /** A look at the node as of now. */
  readonly look: () => Promise<NodeView>;
}

const restartPause = seconds(2);

export class HttpService {
  readonly #ports: HttpPorts;
  #settings: HttpSettings | undefined;
  #worker: Worker | undefined;
  #restart: ArmedTimer | undefined;
  /** Addresses that are not served, with the reason. */
  readonly #refused = new Map<string, string>();

  constructor(ports: HttpPorts) {
    this.#ports = ports;
  }

  get problems(): readonly Finding[] {
    return [...this.#refused].map(([where, reason]) =>
      problem('http-refused', `HTTP is not served at ${where}: ${reason}`, { subject: where }),
    );
  }

  /** Serves by these settings from now on; undefined: serves nobody. */
  apply(settings: HttpSettings | undefined): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#end();
    if (settings !== undefined) this.#start(settings);
  }

  /** A line of the history, as it happens. */
  told(event: HistoryEvent): void {
    this.#post({ kind: 'event', event });
  }

  close(): void {
    this.#settings = undefined;
    this.#end();
  }

  #start(settings: HttpSettings): void {
    const { logger, timers } = this.#ports;
    const worker = new Worker(threadFile('http/thread'), {
      name: 'http',
      workerData: settings,
    });
    this.#worker = worker;
    // Only our own thread posts here, and its messages have this one type.
    worker.on('message', (question: HttpQuestion) => this.#asked(question));
    worker.on('error', (error) => {
      logger.log('error', 'the HTTP thread died', { reason: errorText(error) });
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#restart = timers.after(restartPause, () => this.#start(settings));
    });
  }

  #end(): void {
    this.#restart?.cancel();
    this.#refused.clear();
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  #asked(question: HttpQuestion): void {
    const { logger } = this.#ports;
    switch (question.kind) {
      case 'look':
        void this.#show(question.id);
        break;
      case 'listening':
        this.#refused.delete(question.where);
        logger.log('info', 'HTTP is served', { at: question.where });
        break;
      case 'refused':
        if (this.#refused.get(question.where) !== question.reason) {
          const { where: at, reason } = question;
          logger.log('error', 'HTTP cannot be served', { at, reason });
        }
        this.#refused.set(question.where, question.reason);
        break;
    }
  }

  /** A look that fails is not answered: the client is told that it did not come in time. */
  async #show(id: number): Promise<void> {
    try {
      this.#post({ kind: 'view', id, json: JSON.stringify(await this.#ports.look()) });
    } catch (error) {
      this.#ports.logger.log('error', 'no look at the node', { reason: errorText(error) });
    }
  }

  #post(news: HttpNews): void {
    this.#worker?.postMessage(news);
  }
}
