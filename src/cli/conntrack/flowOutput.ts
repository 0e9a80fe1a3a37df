/** Writes flows in the form that `-o` asks for: lines, XML, arguments of the command, or JSON. */
import { ByteText } from '../../conntrack/text/byteText.js';
import { flowJson } from '../../conntrack/text/flowJson.js';
import type { EventKind } from '../../conntrack/text/flowView.js';
import { xmlFooter, xmlHeader } from '../../conntrack/text/flowXml.js';
import { writeFlowLine, type LineContext, type LineForm } from '../../conntrack/text/lineWriter.js';
import { flowFromMessage } from '../../conntrack/text/messageView.js';
import type { MessageIndex } from '../../conntrack/text/messageIndex.js';
import { writeFlowArguments } from '../../conntrack/text/saveWriter.js';
import { writeFlowXml } from '../../conntrack/text/xmlWriter.js';
import type { Invocation } from './invocation.js';
import type { CommandPorts } from './commandPorts.js';

/** Bytes that are gathered before they are written. */
const bufferBytes = 65_536;

export interface FlowOutput {
  /** `portId`: netlink port of the program that caused an event, 0 for packets and timeouts. */
  flow(flow: MessageIndex, event?: EventKind, portId?: number): void;
  /** What is left, with the end of the document. */
  end(): void;
  /** Hands on what is gathered. */
  flush(): void;
  /** Nobody reads any more. */
  readonly isGone: boolean;
}

export interface FlowOutputOptions {
  /** `-A` for lists; deletions and updates are written as what they did. */
  readonly saveCommand: '-A' | '-D' | '-U';
  /** A document around XML; -U and -D write bare elements. */
  readonly isDocument: boolean;
}

export function flowOutput(
  invocation: Invocation,
  ports: CommandPorts,
  options: FlowOutputOptions,
): FlowOutput {
  let isGone = false;
  const out = new ByteText(bufferBytes, (bytes) => {
    isGone ||= !ports.write(bytes);
  });
  const document = xmlDocument(out, invocation.output.has('xml') && options.isDocument);
  const write = writerOf(invocation, ports, options, out);
  return {
    flow: (flow, event, portId) => {
      document.begin();
      write(flow, event, portId ?? 0);
      out.endLine();
    },
    end: () => {
      document.end();
      out.flush();
    },
    flush: () => out.flush(),
    get isGone() {
      return isGone;
    },
  };
}

type Writer = (flow: MessageIndex, event: EventKind | undefined, portId: number) => void;

function writerOf(
  { output, labels }: Invocation,
  ports: CommandPorts,
  { saveCommand }: FlowOutputOptions,
  out: ByteText,
): Writer {
  const form: LineForm = {
    extended: output.has('extended'),
    id: output.has('id'),
    kernelTimestamp: output.has('ktimestamp'),
    ...(labels === undefined ? {} : { labels }),
  };
  const stamps = output.has('timestamp');
  // The time of a list is that of its first flow: a call per flow costs more than the rest of the
  // line.
  let listed: LineContext | undefined;
  const contextOf = (event: EventKind | undefined): LineContext => {
    if (event === undefined) return (listed ??= { nowSeconds: secondsOf(ports) });
    return { event, nowSeconds: secondsOf(ports) };
  };
  if (output.has('json')) {
    return (flow, event) => {
      const view = flowFromMessage(flow.bytes.subarray(flow.start, flow.end));
      out.text(JSON.stringify(flowJson(view, event)));
    };
  }
  if (output.has('xml')) {
    return (flow, event) => {
      const when = stamps && event !== undefined ? { when: new Date(ports.now() / 1_000) } : {};
      writeFlowXml(out, flow, form, { ...contextOf(event), ...when });
    };
  }
  if (output.has('save')) {
    return (flow, event, portId) => {
      writeFlowArguments(out, flow, event === undefined ? saveCommand : savedEvents[event]);
      out.text(originText(portId, ports));
    };
  }
  return (flow, event, portId) => {
    if (event !== undefined && stamps) out.text(`${stampText(ports.now())}\t`);
    writeFlowLine(out, flow, form, contextOf(event));
    if (portId !== 0) out.text(originText(portId, ports));
  };
}

const savedEvents: Readonly<Record<EventKind, '-A' | '-D' | '-U'>> = {
  new: '-A',
  update: '-U',
  destroy: '-D',
};

/** The header stands before the first entry: no entry, no document, as conntrack does. */
export function xmlDocument(
  out: ByteText,
  isWanted: boolean,
  name = 'conntrack',
): { begin(): void; end(): void } {
  let isBegun = false;
  return {
    begin: () => {
      if (isWanted && !isBegun) out.text(xmlHeader.replace('conntrack', name));
      isBegun = true;
    },
    end: () => {
      if (isWanted && isBegun) out.text(xmlFooter.replace('conntrack', name));
    },
  };
}

/** `[1700000000.123456]`. */
export function stampText(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000);
  return `[${seconds}.${String(microseconds % 1_000_000).padStart(6, '0')}]`;
}

/** Which program caused an event, with its name as long as it lives. */
function originText(portId: number, { read }: CommandPorts): string {
  if (portId === 0) return '';
  try {
    return ` [USERSPACE] portid=${portId} progname=${read(`/proc/${portId}/comm`).trimEnd()}`;
  } catch {
    // Gone, or the port of a thread or second socket, which is no process id.
    return ` [USERSPACE] portid=${portId}`;
  }
}

function secondsOf(ports: CommandPorts): number {
  return Math.floor(ports.now() / 1_000_000);
}
