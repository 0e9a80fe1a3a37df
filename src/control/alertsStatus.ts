/** The part of the answer to `status` that tells who is told of alarms. */

/** Where alarms go, since the start of the daemon. */
export interface AlertsStatus {
  /** The number that the newest alarm has. */
  readonly last: number;
  /** Alarms that the disk does not take: a restart loses them. */
  readonly unsaved: number;
  readonly sinks: readonly {
    /** `exec PATH`, `webhook https://HOST`, `mail HOST` */
    readonly name: string;
    readonly waiting: number;
    readonly taken: number;
    /** Never told: the queue had no room for more. Of earlier lives too. */
    readonly lost: number;
    /** Attempts without success since the last alarm that was taken. */
    readonly failures: number;
    /** Of the last attempt; absent where it had success. */
    readonly reason?: string;
  }[];
}
