/**
 * Keys that are shared by the nodes, and those that are made of them: one for each session, port
 * and key number, and one for hellos. None is used for two purposes.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { SharedKey } from './sealStatus.js';

const trafficKeyBytes = 16;
const macBytes = 16;

export class SealKeys {
  readonly activeId: number;
  readonly #keys = new Map<number, Uint8Array>();
  readonly #helloKeys = new Map<number, Uint8Array>();

  /** `activeId` is that of one of the keys. */
  constructor(keys: readonly SharedKey[], activeId: number) {
    this.activeId = activeId;
    for (const { id, bytes } of keys) {
      this.#keys.set(id, bytes);
      const hello = hkdfSync('sha256', bytes, new Uint8Array(0), 'keepstate seal 1 hello', 32);
      this.#helloKeys.set(id, new Uint8Array(hello));
    }
  }

  has(id: number): boolean {
    return this.#keys.has(id);
  }

  /** For data of the session with this nonce on this port; undefined without such a key. */
  traffic(id: number, nonce: Uint8Array, port: number): Uint8Array | undefined {
    const shared = this.#keys.get(id);
    if (shared === undefined) return undefined;
    const info = `keepstate seal 1 traffic ${port}`;
    return new Uint8Array(hkdfSync('sha256', shared, nonce, info, trafficKeyBytes));
  }

  /** 16 bytes over a hello or an answer on this port. Without such a key nothing fits. */
  mac(id: number, port: number, bytes: Uint8Array): Uint8Array | undefined {
    const key = this.#helloKeys.get(id);
    if (key === undefined) return undefined;
    const place = Uint8Array.of(port >> 8, port & 0xff);
    return createHmac('sha256', key).update(place).update(bytes).digest().subarray(0, macBytes);
  }

  /** In constant time: the last 16 bytes are the MAC of those before them. */
  isMacRight(id: number, port: number, record: Uint8Array): boolean {
    const end = record.length - macBytes;
    const expected = this.mac(id, port, record.subarray(0, end));
    return expected !== undefined && timingSafeEqual(expected, record.subarray(end));
  }
}
