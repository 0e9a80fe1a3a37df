/** Counters of one cache, as `conntrackd -s cache` names them. Since the start. */
export class CacheCounters {
  created = 0;
  createFailed = 0;
  /** Part of `createFailed`: HashLimit was reached. */
  full = 0;
  updated = 0;
  updateFailed = 0;
  destroyed = 0;
  destroyFailed = 0;
  destroyNotFound = 0;
}
