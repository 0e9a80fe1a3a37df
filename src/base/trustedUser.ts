/** Whose files and processes are believed. */

/**
 * `uid`: a user id; undefined where it is not known. Root may do anything anyhow, and so may this
 * process's user to this process.
 */
export function isTrustedUser(uid: number | undefined): boolean {
  return uid === 0 || (uid !== undefined && uid === process.geteuid?.());
}
