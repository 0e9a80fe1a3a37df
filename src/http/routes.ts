/** What each path answers. Knows no socket. Everything is read-only: GET and HEAD alone. */
import { errorText } from '../base/errors.js';
import { keepalivedExposition } from './keepalivedMetrics.js';
import type { Look } from './looker.js';
import { exposition, type HistoryMetrics } from './metrics.js';
import { page } from './page.js';
import { pageScript, pageStyle } from './pageAssets.js';
import type { HourSample } from './samples.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface RoutePorts {
  readonly look: () => Promise<Look>;
  readonly history: HistoryMetrics;
  readonly samples: () => readonly HourSample[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Asked {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly accept: string;
}

type Route = (
  look: Look,
  asked: URL,
  accept: string,
  ports: RoutePorts,
) => Answer | Promise<Answer>;

const plainType = 'text/plain; charset=utf-8';
const jsonType = 'application/json; charset=utf-8';

const routes: Readonly<Record<string, Route>> = {
  '/': ({ view }, _url, _accept, { samples, now }) => ({
    status: 200,
    type: 'text/html; charset=utf-8',
    body: page(view, samples(), now()),
  }),
  '/metrics': async ({ view, takenAt }, _url, accept, { history, now }) => {
    // The wall clock may step back between the two readings.
    const ageSeconds = Math.max(0, now() - takenAt) / 1000;
    return metricsAnswer(await exposition(view, history, { ageSeconds, accept }));
  },
  '/metrics/keepalived': async ({ view }, _url, accept) =>
    metricsAnswer(await keepalivedExposition(view, accept)),
  '/healthz': ({ view }, url) => health(view.status, url.searchParams.get('role')),
  '/status.json': ({ view }) => ({
    status: 200,
    type: jsonType,
    body: `${JSON.stringify(view.status, undefined, 2)}\n`,
  }),
};

const assets: Readonly<Record<string, Answer>> = {
  '/page.css': { status: 200, type: 'text/css; charset=utf-8', body: pageStyle },
  '/page.js': { status: 200, type: 'text/javascript; charset=utf-8', body: pageScript },
};

export async function answer(
  { method, target, accept }: Asked,
  ports: RoutePorts,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD are answered');
  const url = urlOf(target);
  if (url === undefined) return plain(400, 'this is no path');
  const asset = Object.hasOwn(assets, url.pathname) ? assets[url.pathname] : undefined;
  if (asset !== undefined) return asset;
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
  if (route === undefined) {
    return plain(404, `nothing is here; there are ${Object.keys(routes).join(' ')}`);
  }
  try {
    return await route(await ports.look(), url, accept, ports);
  } catch (error) {
    return plain(503, errorText(error));
  }
}

function urlOf(target: string): URL | undefined {
  if (!target.startsWith('/')) return undefined;
  try {
    return new URL(`http://node${target}`);
  } catch {
    return undefined;
  }
}

export function plain(status: number, text: string): Answer {
  return { status, type: plainType, body: `${text}\n` };
}

function metricsAnswer({ contentType, text }: { contentType: string; text: string }): Answer {
  return { status: 200, type: contentType, body: text };
}

/**
 * 200 where nothing of severity `error` is known; with `role` also only where the node has it, so
 * that a load balancer finds the MASTER.
 */
function health({ role, problems }: Look['view']['status'], wanted: string | null): Answer {
  if (wanted !== null && wanted.toUpperCase() !== role) return plain(503, `this node is ${role}`);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return plain(200, `ok: ${role}`);
  return plain(503, errors.map(({ code, text }) => `${code}: ${text}`).join('\n'));
}
