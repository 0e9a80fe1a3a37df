/**
 * The HTTP server: sockets, limits, headers. No client can hold up another one or fill the memory:
 * few connections, short requests without a body, deadlines on each.
 */
import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { errorText } from '../base/errors.js';
import { seconds, type Timers } from '../base/time.js';
import { clearSocketPath } from '../base/socketPath.js';
import { isAllowed } from './allowed.js';
import { answer, plain, type Answer, type RoutePorts } from './routes.js';
import type { HttpSettings } from './settings.js';

const mostConnections = 128;
const mostStreams = 16;
const retry = seconds(5);
/** A client that reads slower than this far behind is let go. */
const mostBuffered = 1 << 20;

const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

export interface ServerPorts extends RoutePorts {
  readonly timers: Timers;
  readonly listening: (where: string) => void;
  readonly refused: (where: string, reason: string) => void;
}

export class HttpServer {
  readonly #ports: ServerPorts;
  readonly #settings: HttpSettings;
  readonly #servers = new Set<Server>();
  readonly #streams = new Set<ServerResponse>();
  #isClosed = false;

  constructor(settings: HttpSettings, ports: ServerPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Whether anybody watches the page. */
  get isWatched(): boolean {
    return this.#streams.size > 0;
  }

  /** Each address by itself: one that is taken keeps no other from being served. */
  listen(): void {
    const { listen, allow, unixPath } = this.#settings;
    for (const { address: host, port } of listen) {
      const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
      this.#open(where, allow, (server) => server.listen({ host, port, ipv6Only: true }));
    }
    if (unixPath === undefined) return;
    this.#open(unixPath, undefined, (server) => {
      clearSocketPath(unixPath);
      server.listen(unixPath, () => chmodSync(unixPath, 0o600));
    });
  }

  /** One line of the event stream to everybody who watches. */
  publish(name: string, data: string): void {
    const lines = data.split('\n').map((line) => `data: ${line}\n`);
    const text = `event: ${name}\n${lines.join('')}\n`;
    for (const stream of this.#streams) {
      if (stream.writableLength > mostBuffered) stream.destroy();
      else stream.write(text);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.destroy();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Tries again where it is refused: an address may come later, another daemon end. */
  #open(
    where: string,
    allow: HttpSettings['allow'] | undefined,
    begin: (server: Server) => void,
  ): void {
    if (this.#isClosed) return;
    const server = this.#server(allow);
    this.#servers.add(server);
    const refused = (error: unknown): void => {
      server.close();
      this.#servers.delete(server);
      this.#ports.refused(where, errorText(error));
      this.#ports.timers.after(retry, () => this.#open(where, allow, begin));
    };
    server.on('error', refused);
    server.on('listening', () => this.#ports.listening(where));
    try {
      begin(server);
    } catch (error) {
      refused(error);
    }
  }

  #server(allow: HttpSettings['allow'] | undefined): Server {
    const server = createServer(
      {
        ...{ maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 5_000 },
        ...{ keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000 },
      },
      (request, response) => void this.#serve(request, response),
    );
    server.maxConnections = mostConnections;
    server.maxRequestsPerSocket = 1_000;
    server.on('connection', (socket) => {
      if (allow !== undefined && !isAllowed(socket.remoteAddress, allow)) socket.destroy();
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    return server;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const { method = '', url = '', headers } = request;
    if (hasBody(request)) {
      response.shouldKeepAlive = false;
      send(response, plain(413, 'a request here has no body'), false);
      return;
    }
    if (method === 'GET' && url === '/view') {
      this.#stream(response);
      return;
    }
    const asked = { method, target: url, accept: headers.accept ?? '' };
    send(response, await answer(asked, this.#ports), method === 'HEAD');
  }

  #stream(response: ServerResponse): void {
    if (this.#streams.size >= mostStreams) {
      send(response, plain(503, 'too many watch this page already'), false);
      return;
    }
    response.writeHead(200, { ...securityHeaders, 'Content-Type': 'text/event-stream' });
    response.write('retry: 2000\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function send(response: ServerResponse, { status, type, body }: Answer, isHead: boolean): void {
  if (response.destroyed) return;
  const length = Buffer.byteLength(body);
  response.writeHead(status, {
    ...securityHeaders,
    'Content-Type': type,
    'Content-Length': length,
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  response.end(isHead ? '' : body);
}
