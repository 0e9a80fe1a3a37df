/** What an event tells of a flow: bits of enum ip_conntrack_events (nf_conntrack_common.h). */
export const eventBit = {
  new: 1 << 0,
  related: 1 << 1,
  destroy: 1 << 2,
  reply: 1 << 3,
  assured: 1 << 4,
  protocolInfo: 1 << 5,
  helper: 1 << 6,
  mark: 1 << 7,
  sequence: 1 << 8,
  label: 1 << 10,
  synproxy: 1 << 11,
} as const;

const { reply, assured, helper, mark, protocolInfo, sequence, label, synproxy } = eventBit;

/** Told of a flow that ctnetlink has made, besides `new` or `related`. */
export const createdBits = reply | assured | helper | protocolInfo | sequence | mark | synproxy;
/** Told of a flow that ctnetlink has changed, whatever it changed. */
export const changedBits = createdBits | label;
