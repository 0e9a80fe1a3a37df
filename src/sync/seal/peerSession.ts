/** A session of another node that this one believes: its keys and the counters that were seen. */
import { recordCipher, type RecordCipher } from '../../net/cipher/recordCipher.js';
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

const nothing = new Uint8Array(0);
/**
 * What was opened, until the next record is; its length has 16 bits. Whoever keeps it longer copies
 * it, as with the memory of a socket.
 */
const room = new Uint8Array(65_536);

export class PeerSession {
  readonly nonce: Uint8Array;
  /** As headers have it. */
  readonly number: number;
  readonly #port: number;
  /** By key number. */
  readonly #traffic = new Map<number, RecordCipher>();
  readonly #window: ReplayWindow;

  /** `floor`: lower counters were sent before this node believed the session. */
  constructor(nonce: Uint8Array, port: number, floor: number) {
    this.nonce = nonce;
    this.number = sessionNumber(nonce);
    this.#port = port;
    this.#window = new ReplayWindow(floor);
  }

  /**
   * `record`: data under this session. What is opened is new, and of a holder of the key; it stands
   * until the next one is.
   */
  open(keys: SealKeys, header: SealHeader, record: Uint8Array): OpenedRecord {
    const cipher = this.#trafficOf(keys, header.keyId);
    if (cipher === undefined) return 'unknownKey';
    if (!this.#window.isNew(header.counter)) return 'replayed';
    const opened = this.#decipher(cipher, header, record);
    if (opened === undefined) return 'wrong';
    this.#window.note(header.counter);
    return opened;
  }

  #decipher(cipher: RecordCipher, header: SealHeader, record: Uint8Array): Uint8Array | undefined {
    const end = record.length - tagBytes;
    if (header.kind === sealKinds.authenticated) {
      return cipher.open(record, end, nothing) ? record.subarray(sealHeaderBytes, end) : undefined;
    }
    const body = room.subarray(0, end - sealHeaderBytes);
    return cipher.open(record, sealHeaderBytes, body) ? body : undefined;
  }

  #trafficOf(keys: SealKeys, keyId: number): RecordCipher | undefined {
    // A key that was taken out of the configuration opens nothing any more.
    if (!keys.has(keyId)) return undefined;
    const known = this.#traffic.get(keyId);
    if (known !== undefined) return known;
    const key = keys.traffic(keyId, this.nonce, this.#port);
    if (key === undefined) return undefined;
    const cipher = recordCipher(key);
    this.#traffic.set(keyId, cipher);
    return cipher;
  }
}
