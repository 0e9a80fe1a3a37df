/**
 * The command line's side of the control socket. What goes wrong is a value, because each case has
 * its own exit code and remedy: no daemon, no right to ask, a daemon that does not answer, a
 * refusal.
 */
import { connect } from 'node:net';
import { errorText } from '../base/errors.js';
import { seconds, type Microseconds, type Timers } from '../base/time.js';
import { LineReader } from './lineReader.js';
import {
  encodeRequest,
  longestAnswerBytes,
  parseLine,
  type ControlLine,
  type ControlRequest,
  type Refusal,
} from './protocol.js';

export type ClientOutcome =
  | { readonly kind: 'answer'; readonly result: unknown }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Nothing listens at the path. */
  | { readonly kind: 'noDaemon'; readonly path: string }
  /** EACCES or EPERM. */
  | { readonly kind: 'notAllowed'; readonly path: string }
  /** Connected, but no answer in time. */
  | { readonly kind: 'hangs'; readonly path: string; readonly after: Microseconds }
  | { readonly kind: 'broken'; readonly path: string; readonly message: string };

export interface ClientOptions {
  readonly path: string;
  readonly timers: Timers;
  /** Default 5 s; sync verbs and hand-overs need more. */
  readonly timeout?: Microseconds;
}

/** Asks once; resolves always. */
export function ask(options: ClientOptions, request: ControlRequest): Promise<ClientOutcome> {
  return new Promise((resolve) => {
    const socket = converse(options, request, {
      onLine: (line) => {
        if ('event' in line) return;
        settle(
          line.ok ? { kind: 'answer', result: line.result } : { kind: 'refused', refusal: line },
        );
      },
      onFailure: (outcome) => settle(outcome),
    });
    const timeout = options.timeout ?? seconds(5);
    const timer = options.timers.after(timeout, () => {
      settle({ kind: 'hangs', path: options.path, after: timeout });
    });
    const settle = (outcome: ClientOutcome): void => {
      timer.cancel();
      socket.close();
      resolve(outcome);
    };
  });
}

/**
 * Follows the event stream until `close` is called or the daemon ends; `onEnd` then says why.
 * The first line is the acknowledgement `{kind:'subscribed'}` and is not passed on.
 */
export function follow(
  options: ClientOptions,
  onEvent: (event: unknown) => void,
  onEnd: (outcome: ClientOutcome) => void,
): { close(): void } {
  let acknowledged = false;
  const timeout = options.timeout ?? seconds(5);
  const timer = options.timers.after(timeout, () => {
    socket.close();
    onEnd({ kind: 'hangs', path: options.path, after: timeout });
  });
  const socket = converse(
    options,
    { verb: 'events' },
    {
      onLine: (line) => {
        timer.cancel();
        if ('event' in line) {
          if (acknowledged) onEvent(line.event);
          acknowledged = true;
          return;
        }
        socket.close();
        if (!line.ok) onEnd({ kind: 'refused', refusal: line });
      },
      onFailure: (outcome) => {
        timer.cancel();
        onEnd(outcome);
      },
    },
  );
  return {
    close: () => {
      timer.cancel();
      socket.close();
    },
  };
}

interface Conversation {
  readonly onLine: (line: ControlLine) => void;
  readonly onFailure: (outcome: ClientOutcome) => void;
}

function converse(
  { path }: ClientOptions,
  request: ControlRequest,
  { onLine, onFailure }: Conversation,
): { close(): void } {
  const reader = new LineReader(longestAnswerBytes);
  let isOver = false;
  const socket = connect({ path });
  const fail = (outcome: ClientOutcome): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    onFailure(outcome);
  };
  socket.on('connect', () => socket.write(encodeRequest(1, request)));
  socket.on('data', (chunk) => {
    if (isOver) return;
    try {
      const lines = reader.push(Buffer.from(chunk));
      if (lines === 'overflow') fail({ kind: 'broken', path, message: 'the answer is too long' });
      else for (const line of lines) onLine(parseLine(line));
    } catch (error) {
      fail({
        kind: 'broken',
        path,
        message: errorText(error),
      });
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => fail(outcomeOf(path, error)));
  socket.on('close', () => {
    fail({ kind: 'broken', path, message: 'the daemon closed the connection without an answer' });
  });
  return {
    close: () => {
      isOver = true;
      socket.destroy();
    },
  };
}

function outcomeOf(path: string, error: NodeJS.ErrnoException): ClientOutcome {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return { kind: 'noDaemon', path };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'notAllowed', path };
    case undefined:
    default:
      return { kind: 'broken', path, message: error.message };
  }
}
