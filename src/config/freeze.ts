/** Settings are shared by rooms that must not change them. */

/** Freezes plain objects and arrays; typed arrays cannot be frozen and are left as they are. */
export function freezeDeeply<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const field of Object.values(value)) freezeDeeply(field);
  return value;
}
