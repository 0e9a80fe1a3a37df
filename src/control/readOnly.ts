/**
 * The second socket of a daemon, for a monitoring group (`control_read_group`): the same protocol,
 * and no verb that changes anything.
 */
import { besideControl } from './besideControl.js';
import { refusal, type ControlRequest } from './protocol.js';
import type { ControlHandler } from './server.js';

/** Beside the control socket at `controlPath`. */
export function readersPath(controlPath: string): string {
  return besideControl(controlPath, 'read.sock');
}

/**
 * Whether the verb only shows something. Each kind is named: a new one is no reader by accident.
 */
export function isReading({ verb }: ControlRequest): boolean {
  switch (verb) {
    case 'ping':
    case 'status':
    case 'history':
    case 'events':
    case 'stats':
      return true;
    case 'sync':
    case 'failover':
    case 'failoverRelease':
    case 'maintenance':
    case 'acknowledge':
    case 'reload':
      return false;
  }
}

export function readOnly(handler: ControlHandler): ControlHandler {
  return {
    subscribe: (sink) => handler.subscribe(sink),
    answer: (request) =>
      isReading(request)
        ? handler.answer(request)
        : Promise.resolve(
            refusal('read-only', `${request.verb} is not for who only reads`, 'run this as root'),
          ),
  };
}
