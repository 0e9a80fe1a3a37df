/** What the trailer of an advertisement proves: plain data, which is recorded with its event. */

/** Names the check that failed, in the order of the checks. */
export type ProofFailure =
  | 'authMalformed'
  /** Outside the window, and not signed with a key of ours or older than what was heard. */
  | 'authStale'
  | 'authUnknownKey'
  | 'authWrong'
  /** Outside the window, signed with a key of ours, and new. */
  | 'clockSkew'
  | 'authReplay';

/** `text`: for the operator, without the sender. */
export type AdvertProof =
  | { readonly kind: 'signed' }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'refused'; readonly failure: ProofFailure; readonly text: string };
