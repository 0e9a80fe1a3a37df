/** The commands about the table of expectations. */
import {
  encodeExpectationCreate,
  encodeExpectationDelete,
  encodeExpectationFlush,
  encodeExpectationGet,
  encodeExpectationList,
  fullMask,
} from '../../conntrack/command/expectationEncode.js';
import { ByteText } from '../../conntrack/text/byteText.js';
import { expectationJson } from '../../conntrack/text/expectationJson.js';
import { expectationLine, expectationXml } from '../../conntrack/text/expectationText.js';
import type { EventKind, ExpectationView } from '../../conntrack/text/flowView.js';
import { expectationFromMessage } from '../../conntrack/text/messageView.js';
import type { CommandContext, Outcome } from './flowCommands.js';
import { stampText, xmlDocument } from './flowOutput.js';
import type { Invocation } from './invocation.js';
import type { CommandPorts } from './commandPorts.js';
import { operationFailed } from './report.js';

const bufferBytes = 65_536;

export interface ExpectationOutput {
  expectation(expectation: ExpectationView, event?: EventKind): void;
  flush(): void;
  end(): void;
  readonly isGone: boolean;
}

export function expectationOutput({ output }: Invocation, ports: CommandPorts): ExpectationOutput {
  let isGone = false;
  const out = new ByteText(bufferBytes, (bytes) => {
    isGone ||= !ports.write(bytes);
  });
  const document = xmlDocument(out, output.has('xml'), 'expect');
  return {
    expectation: (expectation, event) => {
      document.begin();
      if (output.has('json')) {
        out.text(JSON.stringify(expectationJson(expectation, event)));
      } else if (output.has('xml')) {
        out.text(expectationXml(expectation));
      } else {
        if (event !== undefined && output.has('timestamp')) {
          out.text(`${stampText(ports.now())}\t`);
        }
        out.text(expectationLine(expectation, event === undefined ? {} : { event }));
      }
      out.endLine();
    },
    flush: () => out.flush(),
    end: () => {
      document.end();
      out.flush();
    },
    get isGone() {
      return isGone;
    },
  };
}

export function listExpectations(invocation: Invocation, context: CommandContext): Outcome {
  const output = expectationOutput(invocation, context.ports);
  const outcome = eachExpectation(invocation, context, (expectation) => {
    output.expectation(expectation);
  });
  output.end();
  return outcome;
}

export function countExpectations(invocation: Invocation, context: CommandContext): Outcome {
  const outcome = eachExpectation(invocation, context, () => undefined);
  context.ports.write(Buffer.from(`${outcome.count}\n`));
  return outcome;
}

function eachExpectation(
  invocation: Invocation,
  context: CommandContext,
  use: (expectation: ExpectationView) => void,
): Outcome {
  let count = 0;
  const errno = context.session().ask(
    (out) => encodeExpectationList(out, invocation.pattern.family),
    (_view, bytes, at, length) => {
      const expectation = expectationFromMessage(bytes.subarray(at, at + length));
      count++;
      use(expectation);
    },
  );
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count };
}

export function getExpectation(invocation: Invocation, context: CommandContext): Outcome {
  const output = expectationOutput(invocation, context.ports);
  const { family, original } = invocation.pattern;
  let count = 0;
  const errno = context.session().ask(
    (out) => encodeExpectationGet(out, family, original),
    (_view, bytes, at, length) => {
      output.expectation(expectationFromMessage(bytes.subarray(at, at + length)));
      count++;
    },
  );
  output.end();
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count };
}

export function createExpectation(invocation: Invocation, context: CommandContext): Outcome {
  const { pattern, expected } = invocation;
  const { family, original, timeoutSeconds = 0 } = pattern;
  const mask = { source: fullMask(family), destination: fullMask(family), ...expected.mask };
  const wanted = { family, master: original, tuple: expected.tuple, mask, timeoutSeconds };
  const errno = context.changes().ask((out) => encodeExpectationCreate(out, wanted));
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count: 1 };
}

export function deleteExpectation(invocation: Invocation, context: CommandContext): Outcome {
  const { family, original } = invocation.pattern;
  const errno = context.changes().ask((out) => encodeExpectationDelete(out, family, original));
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count: 1 };
}

export function flushExpectations(invocation: Invocation, context: CommandContext): Outcome {
  const errno = context.changes().ask(encodeExpectationFlush);
  if (errno !== 0) throw operationFailed(invocation.form, errno);
  return { count: 0 };
}
