/**
 * keepalived 2.2.7's signals beyond the usual ones: SIGRTMIN+2 asks for the JSON dump, SIGRTMAX-1
 * for the statistics, which keepalived also zeroes.
 */
export const keepalivedSignals = { json: 36, statsClear: 63 } as const;
