/** A session of another node that this one believes: its keys and the counters that were seen. */
import { createDecipheriv } from 'node:crypto';
import { ReplayWindow } from './replayWindow.js';
import type { SealKeys } from './sealKeys.js';
import {
  sealHeaderBytes,
  sealKinds,
  sessionNumber,
  tagBytes,
  type SealHeader,
} from '../wire/sealWire.js';

export type OpenedRecord = Uint8Array | 'replayed' | 'unknownKey' | 'wrong';

export class PeerSession {
  readonly nonce: Uint8Array;
  /** As headers have it. */
  readonly number: number;
  readonly #port: number;
  /** By key number. */
  readonly #traffic = new Map<number, Uint8Array>();
  readonly #window: ReplayWindow;
  readonly #iv = new Uint8Array(12);
  readonly #cipherOptions = { authTagLength: tagBytes };

  /** `floor`: lower counters were sent before this node believed the session. */
  constructor(nonce: Uint8Array, port: number, floor: number) {
    this.nonce = nonce;
    this.number = sessionNumber(nonce);
    this.#port = port;
    this.#window = new ReplayWindow(floor);
  }

  /** `record`: data under this session. What is opened is new, and of a holder of the key. */
  open(keys: SealKeys, header: SealHeader, record: Uint8Array): OpenedRecord {
    const key = this.#trafficOf(keys, header.keyId);
    if (key === undefined) return 'unknownKey';
    if (!this.#window.isNew(header.counter)) return 'replayed';
    const opened = this.#decipher(key, header, record);
    if (opened === undefined) return 'wrong';
    this.#window.note(header.counter);
    return opened;
  }

  #decipher(key: Uint8Array, header: SealHeader, record: Uint8Array): Uint8Array | undefined {
    const end = record.length - tagBytes;
    const isEncrypted = header.kind === sealKinds.encrypted;
    for (let i = 10; i < sealHeaderBytes; i++) this.#iv[i - 4] = record[i] ?? 0;
    const decipher = createDecipheriv('aes-128-gcm', key, this.#iv, this.#cipherOptions);
    decipher.setAuthTag(record.subarray(end));
    decipher.setAAD(record.subarray(0, isEncrypted ? sealHeaderBytes : end));
    const body = record.subarray(sealHeaderBytes, end);
    const opened = isEncrypted ? decipher.update(body) : body;
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return opened;
  }

  #trafficOf(keys: SealKeys, keyId: number): Uint8Array | undefined {
    // A key that was taken out of the configuration opens nothing any more.
    if (!keys.has(keyId)) return undefined;
    const known = this.#traffic.get(keyId);
    if (known !== undefined) return known;
    const key = keys.traffic(keyId, this.nonce, this.#port);
    if (key !== undefined) this.#traffic.set(keyId, key);
    return key;
  }
}
