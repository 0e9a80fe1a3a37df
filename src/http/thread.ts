/**
 * The HTTP thread: the entry of a node:worker_threads Worker. Whatever clients do, the thread that
 * sends adverts only answers one look after the other.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BugError } from '../base/errors.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { milliseconds, seconds, toMilliseconds, type Microseconds } from '../base/time.js';
import { Looker } from './looker.js';
import { HistoryMetrics } from './metrics.js';
import { content } from './page.js';
import { HourSamples, samplePeriod } from './samples.js';
import { HttpServer } from './httpServer.js';
import type { HttpNews, HttpQuestion } from './httpMessages.js';
import type { HttpSettings } from './settings.js';

/** While somebody watches the page. */
const viewPeriod = seconds(1);
/** Five hundred instances that change their role at once are not five hundred looks. */
const viewPause = milliseconds(200);

const timers = new SystemTimers(systemClock);

function serve(settings: HttpSettings): void {
  const port = parentPort;
  if (port === null) throw new BugError('the HTTP thread has no parent');
  const post = (question: HttpQuestion): void => port.postMessage(question);
  const looker = new Looker({
    clock: systemClock,
    timers,
    ask: (id) => post({ kind: 'look', id }),
  });
  const history = new HistoryMetrics();
  const samples = new HourSamples();
  const server = new HttpServer(settings, {
    look: () => looker.look(),
    history,
    samples: () => samples.all,
    timers,
    now: () => Math.floor(toMilliseconds(systemClock.wallClock())),
    listening: (where) => post({ kind: 'listening', where }),
    refused: (where, reason) => post({ kind: 'refused', where, reason }),
  });
  const show = async (): Promise<void> => {
    if (!server.isWatched) return;
    const { view, takenAt } = await looker.look();
    server.publish('view', content(view, samples.all, takenAt).text);
  };
  const sample = async (): Promise<void> => {
    const { view, takenAt } = await looker.look();
    samples.add(view.status, takenAt);
  };
  // Who watches sees by its absence that no newer view came.
  const quietly = (work: () => Promise<void>) => (): void => void work().catch(() => undefined);
  const showSoon = atMostEach(viewPause, quietly(show));
  // Only the main thread posts here, and its messages have this one type.
  port.on('message', (news: HttpNews) => {
    if (news.kind === 'view') looker.answered(news.id, news.json);
    else {
      looker.outdate();
      history.note(news.event);
      showSoon();
    }
  });
  repeat(viewPeriod, quietly(show));
  repeat(samplePeriod, quietly(sample));
  quietly(sample)();
  server.listen();
}

function repeat(period: Microseconds, work: () => void): void {
  timers.after(period, () => {
    work();
    repeat(period, work);
  });
}

/** Works at once, and once more after the pause where it was asked to meanwhile. */
function atMostEach(pause: Microseconds, work: () => void): () => void {
  let isPausing = false;
  let isAsked = false;
  const begin = (): void => {
    isAsked = isPausing;
    if (isPausing) return;
    isPausing = true;
    timers.after(pause, () => {
      isPausing = false;
      if (isAsked) begin();
    });
    work();
  };
  return begin;
}

// The thread is started with its settings and nothing else.
serve(workerData as HttpSettings);
