/**
 * ICMP over the npm package raw-socket, an optional dependency: loaded when the first target of
 * that kind is configured. Its events come once per datagram, and it hands out slices of one
 * buffer: they are used during the call only.
 */
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';
import { formatIp, parseIp, type IpAddress, type IpFamily } from '../../base/ipAddress.js';
import {
  EACCES,
  EADDRNOTAVAIL,
  EHOSTUNREACH,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENETDOWN,
  ENETUNREACH,
  ENOBUFS,
  ENODEV,
  EPERM,
} from '../../base/errno.js';
import {
  icmpProtocols,
  type Carrier,
  type CarrierEvents,
  type CarrierMake,
  type OpenedCarrier,
} from './carrier.js';

/** What is used of the package (raw-socket 1.8.1, index.js). */
interface RawSocket extends EventEmitter {
  send(
    buffer: Buffer,
    offset: number,
    length: number,
    address: string,
    after: (error: Error | null, bytes: number) => void,
  ): void;
  /** Throws an Error with the text of strerror(3). */
  setOption(level: number, option: number, value: Buffer, length: number): void;
  /** Bytes written. Throws as `setOption` does. */
  getOption(level: number, option: number, value: Buffer, length: number): number;
  pauseRecv(): void;
  resumeRecv(): void;
  close(): void;
}

interface RawSocketPackage {
  readonly createSocket: (options: {
    readonly protocol: number;
    readonly addressFamily: number;
    readonly bufferSize: number;
  }) => RawSocket;
  readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
}

const bufferBytes = 2_048;

/** strerror(3) of glibc: the package tells nothing else. */
const errnosByText: ReadonlyMap<string, number> = new Map([
  ['Operation not permitted', EPERM],
  ['Permission denied', EACCES],
  ['Network is unreachable', ENETUNREACH],
  ['Network is down', ENETDOWN],
  ['No route to host', EHOSTUNREACH],
  ['No such device', ENODEV],
  ['Cannot assign requested address', EADDRNOTAVAIL],
  ['Invalid argument', EINVAL],
  ['Message too long', EMSGSIZE],
  ['No buffer space available', ENOBUFS],
]);

/** undefined where the package is not installed, or not built for this Node.js. */
export function rawSocketMake(): CarrierMake | undefined {
  const loaded = load();
  if (loaded === undefined) return undefined;
  return {
    name: 'raw-socket',
    open: (family, events) => open(loaded, family, events),
  };
}

function load(): RawSocketPackage | undefined {
  try {
    // Checked boundary: RawSocketPackage describes what is used of the package.
    return createRequire(__filename)('raw-socket') as RawSocketPackage;
  } catch {
    // Not installed, or its binary is of another Node.js: the batched socket does the same.
    return undefined;
  }
}

function open(
  { createSocket, AddressFamily }: RawSocketPackage,
  family: IpFamily,
  events: CarrierEvents,
): OpenedCarrier {
  try {
    const socket = createSocket({
      protocol: icmpProtocols[family],
      addressFamily: family === 4 ? AddressFamily.IPv4 : AddressFamily.IPv6,
      bufferSize: bufferBytes,
    });
    return { carrier: new RawSocketCarrier(socket, family, events) };
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}

class RawSocketCarrier implements Carrier {
  readonly #socket: RawSocket;
  #isClosed = false;

  constructor(socket: RawSocket, family: IpFamily, events: CarrierEvents) {
    this.#socket = socket;
    socket.pauseRecv();
    socket.on('message', (bytes: Buffer, source: string) => {
      if (this.#isClosed) return;
      events.datagram(bytes, family === 4 ? undefined : parseIp(source)?.bytes);
    });
    socket.on('error', (error) => events.error(errnoOf(error)));
  }

  setOption(level: number, name: number, value: Uint8Array): number {
    try {
      this.#socket.setOption(level, name, Buffer.from(value), value.length);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  getOption(level: number, name: number, into: Uint8Array): number {
    try {
      const value = Buffer.from(into.buffer, into.byteOffset, into.length);
      return this.#socket.getOption(level, name, value, value.length);
    } catch (error) {
      return -errnoOf(error);
    }
  }

  send(bytes: Uint8Array, destination: IpAddress, failed: (errno: number) => void): number {
    // It is sent in a later turn of the event loop.
    const copy = Buffer.from(bytes);
    this.#socket.send(copy, 0, copy.length, formatIp(destination), (error) => {
      if (error !== null && !this.#isClosed) failed(errnoOf(error));
    });
    return 0;
  }

  read(): void {
    this.#socket.resumeRecv();
  }

  stopReading(): void {
    this.#socket.pauseRecv();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }
}

/** EIO where the text is of no errno that is known. */
function errnoOf(error: unknown): number {
  const hasText = typeof error === 'object' && error !== null && 'message' in error;
  return errnosByText.get(hasText ? String(error.message) : '') ?? EIO;
}
