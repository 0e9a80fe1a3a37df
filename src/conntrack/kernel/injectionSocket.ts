/** The way of an injector to the kernel, and the one that leads nowhere. */
import type { BatchedSocket } from '../../net/socket/batchedSocket.js';
import { openKernelSocket } from './kernelSocket.js';

/** 832 bytes of receive buffer per answer, all of which may come at once. */
const receiveBufferBytes = 1 << 20;
const answerCells = 64;
export const answerCellBytes = 4096;

/** Where requests go and refusals come from: a ctnetlink socket, or `nowhere`. */
export interface InjectionSocket {
  readonly socket: Pick<BatchedSocket, 'send' | 'receive' | 'view' | 'lengths' | 'close'>;
  readonly portId: number;
}

/** Takes everything, answers nothing: for rehearsals. */
export const nullSocket: InjectionSocket = {
  socket: {
    send: () => 0,
    receive: () => 0,
    view: new DataView(new ArrayBuffer(0)),
    lengths: new Uint32Array(0),
    close: () => undefined,
  },
  portId: 0,
};

/** Throws KernelError. */
export function openInjectionSocket(sendBufferBytes: number): InjectionSocket {
  return openKernelSocket({
    cells: answerCells,
    cellBytes: answerCellBytes,
    sendBufferBytes,
    receiveBufferBytes,
  });
}
