/**
 * A flow table that keeps the fingerprint of what it holds, whoever changes it. DEAD flows do not
 * count.
 */
import { lifecycle, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import { FlowTable, type FlowTableOptions } from '../../conntrack/record/flowTable.js';
import { Fingerprint } from './fingerprint.js';

export class FingerprintedTable extends FlowTable {
  readonly fingerprint = new Fingerprint();
  readonly #cursor: FlowCursor;
  #isReplacing = false;

  constructor(options: FlowTableOptions) {
    super(options);
    this.#cursor = this.newCursor();
  }

  override insert(flow: FlowCursor, nowSeconds: number, hash?: number): number {
    const slot = super.insert(flow, nowSeconds, hash);
    if (slot !== 0) this.#add(slot);
    return slot;
  }

  override merge(slot: number, flow: FlowCursor, nowSeconds: number): number {
    if (this.#isDead(slot)) return super.merge(slot, flow, nowSeconds);
    this.#subtract(slot);
    const changed = super.merge(slot, flow, nowSeconds);
    this.#add(slot);
    return changed;
  }

  override forget(slot: number, bits: number): void {
    if (!this.#isDead(slot)) this.#subtract(slot);
    super.forget(slot, bits);
    if (!this.#isDead(slot)) this.#add(slot);
  }

  override replace(slot: number, flow: FlowCursor, nowSeconds: number): void {
    if (!this.#isDead(slot)) this.#subtract(slot);
    this.#isReplacing = true;
    super.replace(slot, flow, nowSeconds);
    this.#isReplacing = false;
    this.#add(slot);
  }

  override setLifecycle(slot: number, value: number): void {
    const wasDead = this.#isDead(slot);
    const isDead = value === lifecycle.dead;
    if (!this.#isReplacing && !wasDead && isDead) this.#subtract(slot);
    super.setLifecycle(slot, value);
    if (!this.#isReplacing && wasDead && !isDead) this.#add(slot);
  }

  override remove(slot: number): void {
    if (!this.#isDead(slot)) this.#subtract(slot);
    super.remove(slot);
  }

  override clear(): void {
    super.clear();
    this.fingerprint.reset();
  }

  #isDead(slot: number): boolean {
    return this.lifecycle(slot) === lifecycle.dead;
  }

  #add(slot: number): void {
    this.fingerprint.add(this.seek(slot, this.#cursor));
  }

  #subtract(slot: number): void {
    this.fingerprint.subtract(this.seek(slot, this.#cursor));
  }
}
