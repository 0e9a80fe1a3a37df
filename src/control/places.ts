/** How many clients there may be, in all and of one user. */

export interface PlaceLimits {
  readonly all: number;
  /** Absent: a user may have all of them. */
  readonly each?: number;
}

/** `Holder` has a place until it is released; its user is undefined where it is not known. */
export class Places<Holder> {
  readonly #limits: PlaceLimits;
  readonly #holders = new Map<Holder, number | undefined>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#holders.size;
  }

  /** False where there is none. Users who are not known count as one. */
  take(holder: Holder, user: number | undefined): boolean {
    const { all, each = all } = this.#limits;
    const own = [...this.#holders.values()].filter((one) => one === user).length;
    if (this.#holders.size >= all || own >= each) return false;
    this.#holders.set(holder, user);
    return true;
  }

  release(holder: Holder): void {
    this.#holders.delete(holder);
  }
}
