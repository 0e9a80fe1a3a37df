/** The nft statement that drops a share of what reaches it. */

/** `percent` with up to one decimal. */
export function dropStatement(percent: number): string {
  return percent >= 100 ? 'drop' : `numgen random mod 1000 < ${Math.round(percent * 10)} drop`;
}
