/**
 * An alarm as a POST of JSON. Taken is what is answered with 2xx; the body of the answer is not
 * read, a redirect is not followed, and all of it has a limit of time.
 */
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { errorText } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { seconds, type Timers } from '../base/time.js';
import type { Alarm } from './alarm.js';
import type { Delivery } from './courier.js';
import type { NameLookup } from './nameLookup.js';

const timeout = seconds(10);
/** Of a reason that a server gives. */
const longestText = 120;

export interface WebhookPorts {
  readonly timers: Timers;
  readonly names: Pick<NameLookup, 'lookup'>;
  /** For the header User-Agent. */
  readonly version: string;
}

export function postAlarm(url: string, alarm: Alarm, ports: WebhookPorts): Promise<Delivery> {
  const { timers, names, version } = ports;
  const target = new URL(url);
  const body = JSON.stringify(alarm);
  const start = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve) => {
    const client = start(target, {
      method: 'POST',
      // A connection that the server forgot would cost an attempt.
      agent: false,
      lookup: names.lookup,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': `keepstate/${version}`,
        'idempotency-key': alarm.id,
      },
    });
    const limit = timers.after(timeout, () => end(refused('no answer within 10 s')));
    const end = (delivery: Delivery): void => {
      limit.cancel();
      client.destroy();
      resolve(delivery);
    };
    client.on('response', (response) => {
      // Whatever it still sends is thrown away with the connection.
      response.on('error', () => undefined);
      end(judge(response));
    });
    // Also what comes after the end, which is of no interest then.
    client.on('error', (error) => end(refused(errorText(error))));
    client.end(body);
  });
}

function judge({ statusCode = 0, headers }: IncomingMessage): Delivery {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken' };
  const isElsewhere = statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
  if (!isElsewhere) return refused(`it answers ${statusCode}`);
  return refused(`it answers ${statusCode}: redirects to ${headers.location}, not followed`);
}

function refused(reason: string): Delivery {
  return { kind: 'refused', reason: printable(reason.slice(0, longestText)) };
}
