/** How `keepstate flows` writes flows: conntrack's lines, its XML, JSON lines, or just a count. */
import type { EventKind, FlowView } from '../conntrack/text/flowView.js';
import { flowJson } from '../conntrack/text/flowJson.js';
import { flowLine } from '../conntrack/text/flowLine.js';
import { flowXml, xmlFooter, xmlHeader } from '../conntrack/text/flowXml.js';

export interface FlowPrinter {
  /** `portId`: netlink port of the program that caused an event, 0 for packets and timeouts. */
  flow(flow: FlowView, event?: EventKind, portId?: number): void;
  end(): void;
}

export interface FlowPrinterOptions {
  readonly format: 'text' | 'xml' | 'json' | 'count';
  readonly extended: boolean;
  readonly id: boolean;
  /** Nanoseconds since 1970, for the age of flows with a start stamp. */
  readonly now: () => bigint;
  readonly write: (text: string) => void;
}

export function flowPrinter(options: FlowPrinterOptions): FlowPrinter {
  const { write, now } = options;
  switch (options.format) {
    case 'text':
      return {
        flow: (flow, event, portId) => {
          const line = flowLine(flow, {
            ...(event === undefined ? {} : { event }),
            extended: options.extended,
            id: options.id,
            now: now(),
          });
          const origin =
            portId === undefined || portId === 0 ? '' : ` [USERSPACE] portid=${portId}`;
          write(`${line}${origin}\n`);
        },
        end: () => undefined,
      };
    case 'xml':
      return xmlPrinter(options);
    case 'json':
      return {
        flow: (flow, event) => write(`${JSON.stringify(flowJson(flow, event))}\n`),
        end: () => undefined,
      };
    case 'count':
      return countPrinter(write);
  }
}

/** No flow, no header at all, as conntrack does. */
function xmlPrinter({ write, now }: FlowPrinterOptions): FlowPrinter {
  let started = false;
  return {
    flow: (flow, event) => {
      if (!started) write(xmlHeader);
      started = true;
      write(`${flowXml(flow, { ...(event === undefined ? {} : { event }), now: now() })}\n`);
    },
    end: () => {
      if (started) write(xmlFooter);
    },
  };
}

function countPrinter(write: (text: string) => void): FlowPrinter {
  let count = 0;
  return {
    flow: () => {
      count += 1;
    },
    end: () => write(`${count}\n`),
  };
}
