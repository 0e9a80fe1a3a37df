/**
 * Reading nft's JSON without trusting its shape: each helper answers with «nothing» where a value
 * is something else.
 */

/** An object of the JSON text, with members of unknown type. */
export type NftFields = Readonly<Record<string, unknown>>;

/** undefined for anything but an object. */
export function fieldsOf(value: unknown): NftFields | undefined {
  // Checked: an object that is not an array has named fields of unknown type.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as NftFields)
    : undefined;
}

/** The objects among `values`. */
export function objectsOf(values: readonly unknown[]): readonly NftFields[] {
  return values.map(fieldsOf).filter((one) => one !== undefined);
}

/** A word or a number as text. */
export function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}

/** The members of a list, of `{ "set": [...] }`, or one value alone. */
export function listOf(value: unknown): readonly unknown[] {
  const list: unknown = Array.isArray(value) ? value : fieldsOf(value)?.['set'];
  if (Array.isArray(list)) return list as readonly unknown[];
  return value === undefined || value === null ? [] : [value];
}
