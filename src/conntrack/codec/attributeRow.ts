/**
 * What a row of the attribute table says: number, form on the wire, place in the flow record,
 * presence bit.
 */

/** Form of an attribute; the numbers are dense so that the interpreters switch on them. */
export const attributeForm = {
  /** Known to us, not held. */
  ignored: 0,
  nest: 1,
  tuple: 2,
  /** Big-endian integers of 1, 4 and 8 bytes. */
  u8: 3,
  u32: 4,
  u64: 5,
  /** Two bytes, value and mask: TCP flags. */
  flags: 6,
  /** Text, NUL at the end where there is room; held as an id of the name table. */
  text: 7,
  /** Bit string of up to 16 bytes, a multiple of 4. */
  labels: 8,
  /** CTA_ZONE. */
  zone: 9,
} as const;
export type Form = (typeof attributeForm)[keyof typeof attributeForm];

/** Where the value stands. */
export const attributeStore = { record: 0, info: 1, rare: 2, none: 3 } as const;
export type Store = (typeof attributeStore)[keyof typeof attributeStore];

/** Which tuple a `attributeForm.tuple` row is. */
export const tupleKind = { original: 0, reply: 1, master: 2 } as const;

export interface AttributeRow {
  readonly number: number;
  readonly name: string;
  readonly form: Form;
  readonly store: Store;
  /**
   * `recordWord` of the record or of the rare record; for `attributeStore.info` the shift; for a
   * nest see `mask`.
   */
  readonly place: number;
  /**
   * `attributeStore.info`: mask after the shift. A nest: how many rare words from `place` a reader
   * zeroes first.
   */
  readonly mask: number;
  /** Bits of `presenceBit`. 0 for nests. */
  readonly presence: number;
  readonly nest: AttributeNest | undefined;
}

/** Rows in the order in which they are written, and by number. */
export interface AttributeNest {
  readonly rows: readonly AttributeRow[];
  readonly byNumber: readonly (AttributeRow | undefined)[];
}

/** Rows in the order in which they are written. */
export function nestOf(rows: readonly AttributeRow[]): AttributeNest {
  const byNumber = new Array<AttributeRow | undefined>(
    Math.max(...rows.map((row) => row.number)) + 1,
  ).fill(undefined);
  for (const row of rows) byNumber[row.number] = row;
  return { rows, byNumber };
}

/** A row whose value stands in one place. */
export function row(
  number: number,
  name: string,
  formOfValue: Form,
  storeOfValue: Store,
  place: number,
  presence: number,
  mask = 0,
): AttributeRow {
  return {
    number,
    name,
    form: formOfValue,
    store: storeOfValue,
    place,
    mask,
    presence,
    nest: undefined,
  };
}

/** A nest; `words` rare words from `place` on are zeroed before it is read. */
export function nestRow(
  number: number,
  name: string,
  rows: readonly AttributeRow[],
  place = 0,
  words = 0,
): AttributeRow {
  return {
    number,
    name,
    form: attributeForm.nest,
    store: attributeStore.none,
    place,
    mask: words,
    presence: 0,
    nest: nestOf(rows),
  };
}

/** Known, and not held. */
export function ignored(number: number, name: string): AttributeRow {
  return row(number, name, attributeForm.ignored, attributeStore.none, 0, 0);
}

/** A big-endian word of the record. */
export function record32(
  number: number,
  name: string,
  place: number,
  presence: number,
): AttributeRow {
  return row(number, name, attributeForm.u32, attributeStore.record, place, presence);
}

/** A big-endian word of the rare record. */
export function rare32(
  number: number,
  name: string,
  place: number,
  presence: number,
): AttributeRow {
  return row(number, name, attributeForm.u32, attributeStore.rare, place, presence);
}

/** Two of them. */
export function rare64(
  number: number,
  name: string,
  place: number,
  presence: number,
): AttributeRow {
  return row(number, name, attributeForm.u64, attributeStore.rare, place, presence);
}

/** A byte of the info word. */
export function info8(number: number, name: string, shift: number, presence: number, mask = 0xff) {
  return row(number, name, attributeForm.u8, attributeStore.info, shift, presence, mask);
}

/** CTA_COUNTERS_ORIG and CTA_COUNTERS_REPLY. */
export function counters(
  number: number,
  name: string,
  place: number,
  presence: number,
): AttributeRow {
  return nestRow(
    number,
    name,
    [
      rare64(1, 'CTA_COUNTERS_PACKETS', place, presence),
      rare64(2, 'CTA_COUNTERS_BYTES', place + 2, presence),
      ignored(3, 'CTA_COUNTERS32_PACKETS'),
      ignored(4, 'CTA_COUNTERS32_BYTES'),
      ignored(5, 'CTA_COUNTERS_PAD'),
    ],
    place,
    4,
  );
}

/** CTA_SEQ_ADJ_ORIG and CTA_SEQ_ADJ_REPLY. */
export function sequence(
  number: number,
  name: string,
  place: number,
  presence: number,
): AttributeRow {
  return nestRow(
    number,
    name,
    [
      rare32(1, 'CTA_SEQADJ_CORRECTION_POS', place, presence),
      rare32(2, 'CTA_SEQADJ_OFFSET_BEFORE', place + 1, presence),
      rare32(3, 'CTA_SEQADJ_OFFSET_AFTER', place + 2, presence),
    ],
    place,
    3,
  );
}
