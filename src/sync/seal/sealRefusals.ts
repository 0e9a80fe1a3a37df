/** Why a datagram is dropped before anything in it is believed, each with a sentence. */
export const sealRefusals = {
  plain: 'it is not sealed',
  malformed: 'it is no sealed datagram, or a part of one',
  unknownKey: 'it is sealed with a key number that is not here',
  unknownSession: 'it belongs to no session that was shown to live',
  wrong: 'the key does not open it',
  replayed: 'it was received before',
  tooManyHellos: 'there are more greetings than a peer sends',
  reflected: 'this node sent it itself',
  staleAnswer: 'it answers no question of this node',
} as const;

export type SealRefusal = keyof typeof sealRefusals;
