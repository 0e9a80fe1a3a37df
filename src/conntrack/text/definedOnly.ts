/** Lets an object literal name fields that may be undefined where the type says absent. */

type Loose<T> = { [K in keyof T]: T[K] | undefined };

/**
 * A copy without the fields that are undefined; required fields must be defined (checked by the
 * caller).
 */
export function definedOnly<T extends object>(fields: Loose<Required<T>> | Loose<T>): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // Removing undefined values turns Loose<T> into T; required fields are the caller's promise.
  return Object.fromEntries(entries) as T;
}
