/** What crosses the thread boundary about seals. */
import type { Microseconds } from '../../base/time.js';
import type { SealRefusal } from './sealRefusals.js';

/** As it crosses the thread boundary. */
export interface SharedKey {
  /** 1..255. */
  readonly id: number;
  /** 16 to 64. */
  readonly bytes: Uint8Array;
}

export interface SealStatus {
  readonly activeKeyId: number;
  /** Of this node's keys. */
  readonly keys: readonly { readonly id: number; readonly fingerprint: string }[];
  readonly auth: 'enforce' | 'permissive';
  readonly encrypts: boolean;
  /** The peer has shown a key: nothing plain is taken or sent. */
  readonly isPeerSealed: boolean;
  /** When the peer was heard last under each key: monotonic, by key number. */
  readonly heard: Readonly<Record<number, Microseconds>>;
  /** Datagrams that were dropped; absent reasons never happened. */
  readonly refused: Readonly<Partial<Record<SealRefusal, number>>>;
  /** When something was dropped last for another reason than a session that ended. */
  readonly refusedAt?: Microseconds;
}
