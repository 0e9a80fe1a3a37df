/** `-E`: events of flows or of expectations until interrupted. */
import { DecodeError } from '../../base/errors.js';
import { flowTest } from '../../conntrack/command/flowMatch.js';
import { eventGroup } from '../../conntrack/constants.js';
import { MessageIndex } from '../../conntrack/text/messageIndex.js';
import { watchKernel, type EventListener } from '../../conntrack/text/kernelMessages.js';
import { eventKindOf, expectationFromMessage, portIdOf } from '../../conntrack/text/messageView.js';
import { errnoText } from '../../base/errno.js';
import { expectationOutput } from './expectationCommands.js';
import type { Outcome } from './flowCommands.js';
import { flowOutput } from './flowOutput.js';
import type { Invocation } from './invocation.js';
import type { CommandPorts } from './commandPorts.js';
import { operationFailed, programVersion } from './report.js';

const groupOf = {
  new: eventGroup.flowNew,
  update: eventGroup.flowUpdate,
  destroy: eventGroup.flowDestroy,
} as const;

/** What is done with an event; false where it was not one that is wanted. */
interface EventPrinter {
  print(message: Uint8Array): boolean;
  flush(): void;
  end(): void;
  readonly isGone: boolean;
}

/** Throws Refusal. */
export function followEvents(invocation: Invocation, ports: CommandPorts): Promise<Outcome> {
  const isExpectations = invocation.table === 'expect';
  const printer = isExpectations
    ? expectationPrinter(invocation, ports)
    : flowPrinter(invocation, ports);
  const groups = isExpectations
    ? eventGroup.expectationNew | eventGroup.expectationDestroy
    : invocation.events.reduce((mask, kind) => mask | groupOf[kind], 0);
  return new Promise((resolve, reject) => {
    let count = 0;
    const finish = (): void => {
      watch.close();
      takeBack();
      printer.end();
      resolve({ count });
    };
    const listener: EventListener = {
      onMessage: (message) => {
        try {
          if (!printer.print(message)) return;
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          ports.tell(`${programVersion}: an event of the kernel could not be read`);
          return;
        }
        count++;
        printer.flush();
        if (printer.isGone) finish();
      },
      onLost: () => {
        ports.tell(
          'WARNING: We have hit ENOBUFS! We are losing events.\n' +
            'The receive buffer is too small for this many events, see --buffer-size.',
        );
      },
      onError: (errno) => ports.tell(`${programVersion}: ${errnoText(errno)}`),
    };
    const started = watchKernel(groups, listener, invocation.bufferBytes);
    if (typeof started === 'number') {
      reject(operationFailed(invocation.form, started));
      return;
    }
    const watch = started;
    const takeBack = ports.onInterrupt(finish);
    if (invocation.bufferBytes !== undefined) {
      ports.tell(`NOTICE: Netlink socket buffer size has been set to ${watch.bufferBytes} bytes.`);
    }
  });
}

function flowPrinter(invocation: Invocation, ports: CommandPorts): EventPrinter {
  const output = flowOutput(invocation, ports, { saveCommand: '-A', isDocument: true });
  const passes = flowTest(invocation.pattern);
  const flow = new MessageIndex();
  return {
    print: (message) => {
      const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
      flow.read(view, message, 0, message.length);
      if (!passes(flow)) return false;
      output.flow(flow, eventKindOf(message), portIdOf(message));
      return true;
    },
    flush: () => output.flush(),
    end: () => output.end(),
    get isGone() {
      return output.isGone;
    },
  };
}

function expectationPrinter(invocation: Invocation, ports: CommandPorts): EventPrinter {
  const output = expectationOutput(invocation, ports);
  return {
    print: (message) => {
      output.expectation(expectationFromMessage(message), eventKindOf(message));
      return true;
    },
    flush: () => output.flush(),
    end: () => output.end(),
    get isGone() {
      return output.isGone;
    },
  };
}
