/**
 * Seeded bugs: each one changed line of src, in the build of the simulator alone (loader.cjs), never
 * in the product. What the simulator finds of them shows what it can find at all.
 */

export interface SeededBug {
  /** Unique; for `--only`. */
  readonly name: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly from: string;
  readonly to: string;
  /** A fault that the project had: its row in docs/decisions/mended.md, or where it was found. */
  readonly past?: string;
}

const coordinator: readonly SeededBug[] = [
  {
    name: 'no-commit-before-role',
    file: 'src/coordinator/takeOver.ts',
    from: "vips: event.isResumed ? 'up' : event.vipsWait ? 'held' : 'released',",
    to: "vips: event.isResumed ? 'up' : event.vipsWait ? 'released' : 'released',",
  },
  {
    name: 'stale-epoch-for-role',
    file: 'src/coordinator/takeOver.ts',
    from: 'const epoch = isPrepared ? step.state.epoch : step.state.epoch + 1;',
    to: 'const epoch = isPrepared ? step.state.epoch : step.state.epoch - 1;',
  },
  {
    name: 'addresses-never-released',
    file: 'src/coordinator/takeOver.ts',
    from: 'return finishTakeover(vipsWaitNoLonger(reported, undefined), at);',
    to: 'return finishTakeover(reported, at);',
  },
  {
    name: 'worker-ready-untold',
    file: 'src/coordinator/takeOver.ts',
    from: "const next = extend(ended, { worker: 'running', epoch });",
    to: "const next = extend(ended, { worker: 'running', role: 'INIT', epoch });",
  },
  {
    name: 'failed-commit-counts',
    file: 'src/coordinator/takeOver.ts',
    from: "return commit !== 'running' && commit.cancelled ? undefined : commit;",
    to: 'return commit;',
    past: '0.1.0 (preemption)',
  },
  {
    name: 'silence-not-prepared',
    file: 'src/coordinator/preparation.ts',
    from: "if (role !== 'BACKUP' || worker !== 'running' || maintenance) return step;",
    to: "if (role === 'BACKUP' || worker !== 'running' || maintenance) return step;",
  },
  {
    name: 'preparation-never-abandoned',
    file: 'src/coordinator/preparation.ts',
    from: "if (ready.for === 'silence') return extend(next, {}, startTimer('preparation', silenceLifetime));",
    to: "if (ready.for === 'silence') return next;",
  },
  {
    name: 'taking-back-untold',
    file: 'src/coordinator/preparation.ts',
    from: "    post({ kind: 'undoPreCommit', epoch }),",
    to: '',
  },
  {
    name: 'preemption-never-granted',
    file: 'src/coordinator/preparation.ts',
    from: "    : extend(next, {}, { kind: 'grantPreemption', unitEpoch: preparation.unitEpoch });",
    to: '    : next;',
  },
  {
    name: 'older-report-believed',
    file: 'src/coordinator/step.ts',
    from: 'event.epoch === step.state.epoch ? committed(step, event.summary, event.at) : step,',
    to: 'event.epoch <= step.state.epoch ? committed(step, event.summary, event.at) : step,',
  },
  {
    name: 'resignation-untold',
    file: 'src/coordinator/handOver.ts',
    from: "    ...(handOver.peerIsReady ? [post({ kind: 'handoverResigned' })] : []),",
    to: '',
  },
  {
    name: 'hand-over-never-answered',
    file: 'src/coordinator/handOver.ts',
    from: "if (handOver?.stage !== 'resigned' || step.state.role === 'MASTER') return step;",
    to: "if (handOver?.stage !== 'preparing' || step.state.role === 'MASTER') return step;",
  },
  {
    name: 'hand-over-timer-forgotten',
    file: 'src/coordinator/handOver.ts',
    from: "    startTimer('handOver', confirmTimeout),",
    to: '',
  },
  {
    name: 'maintenance-off-forgotten',
    file: 'src/coordinator/handOver.ts',
    from: "    ...(on ? [] : [{ kind: 'releasePreemption' } as const]),",
    to: "    ...(on ? [] : [{ kind: 'maintenance', on: true } as const]),",
  },
  {
    name: 'merge-anew-with-each-advert',
    file: 'src/coordinator/merge.ts',
    from: "if (merge !== undefined) return merge.isAnnounced ? extend(seen, {}, { kind: 'announce' }) : seen;",
    to: 'if (merge?.isAnnounced === false) return seen;',
    past: 'found by the simulator',
  },
  {
    name: 'no-merge-after-split',
    file: 'src/coordinator/merge.ts',
    from: "    post({ kind: 'mergeAfterSplit', epoch }),",
    to: '',
  },
  {
    name: 'yield-ignored',
    file: 'src/coordinator/merge.ts',
    from: 'return beginMerge(told, { at: event.at, because }, settings);',
    to: 'return told;',
    past: 'a split after which the weaker MASTER alone knew of it',
  },
  {
    name: 'testimony-only-where-greeted',
    file: 'src/coordinator/evidence.ts',
    from: "  if (!isYield || worker !== 'running') {",
    to: "  if (!isYield || step.state.peer.kind !== 'keepstate' || worker !== 'running') {",
    past: 'found by the simulator',
  },
  {
    name: 'no-proof-needed',
    file: 'src/coordinator/evidence.ts',
    from: '  if (rivalSeen !== undefined && rivalSeen >= start - slack) return true;',
    to: '  if (rivalSeen !== undefined) return false;',
  },
  {
    name: 'worker-death-unnoticed',
    file: 'src/coordinator/losses.ts',
    from: "worker: 'down'",
    to: "worker: 'running'",
  },
];

const role: readonly SeededBug[] = [
  {
    name: 'purge-not-cancelled-by-role',
    file: 'src/sync/role/taking.ts',
    from: '    cancelPurge(begun),\n',
    to: '    begun,\n',
    past: 'R19: a purge that went on in a MASTER',
  },
  {
    name: 'commit-skipped-for-role',
    file: 'src/sync/role/taking.ts',
    from: "return stopThen(withStance(step, 'own'), { to: 'commitForRole' });",
    to: "return stopThen(withStance(step, 'own'), { to: 'complete', clearsExternal: false });",
  },
  {
    name: 'no-bulk-after-takeover',
    file: 'src/sync/role/taking.ts',
    from: "    { kind: 'startBulk', because: 'this node is MASTER' },",
    to: '',
  },
  {
    name: 'takeover-untold',
    file: 'src/sync/role/taking.ts',
    from: "    { kind: 'reportTakeover', epoch },",
    to: '',
  },
  {
    name: 'stance-stays-ahead',
    file: 'src/sync/role/taking.ts',
    from: "const own = withStance(step, 'own');",
    to: 'const own = step;',
    past: 'flows committed in advance that were never this node’s own',
  },
  {
    name: 'older-epoch-believed',
    file: 'src/sync/role/taking.ts',
    from: '  if (epoch < step.state.epoch) return undefined;',
    to: '',
  },
  {
    name: 'external-of-keepstate-cleared',
    file: 'src/sync/role/taking.ts',
    from: '    clearsExternal: !peer.isKeepstate,',
    to: '    clearsExternal: peer.isKeepstate,',
  },
  {
    name: 'no-question-as-backup',
    file: 'src/sync/role/leaving.ts',
    from: "    ...{ to: 'leave', peerHeard, asksPeer: true },",
    to: "    ...{ to: 'leave', peerHeard, asksPeer: false },",
  },
  {
    name: 'leftovers-not-read',
    file: 'src/sync/role/leaving.ts',
    from: 'const kept = findMissed(readLeftovers(scheduled));',
    to: 'const kept = findMissed(scheduled);',
  },
  {
    name: 'purge-does-not-wait-for-merge',
    file: 'src/sync/role/leaving.ts',
    from: 'return peer.isKeepstate ? holdPurge(told, at, addTime(at, mergeTimeout)) : told;',
    to: 'return told;',
  },
  {
    name: 'nothing-taken-back',
    file: 'src/sync/role/leaving.ts',
    from: '  return begun === undefined ? step : undoAhead(begun);',
    to: '  return begun === undefined ? step : begun;',
  },
  {
    name: 'former-master-silent',
    file: 'src/sync/role/leaving.ts',
    from: "    ...(wasMaster ? [{ kind: 'sayWasMaster', until: at } as const] : []),",
    to: '',
    past: 'A2',
  },
  {
    name: 'purge-without-master',
    file: 'src/sync/role/purging.ts',
    from: 'if (!purge.isMasterHeard || purge.heldUntil !== undefined) return step;',
    to: 'if (purge.heldUntil !== undefined) return step;',
    past: 'A2',
  },
  {
    name: 'purge-by-completion-alone',
    file: 'src/sync/role/purging.ts',
    from: "const ability = purge.isBlind ? 'cannot' : peer.ability;",
    to: "const ability = 'cannot' as typeof peer.ability;",
    past: 'A2',
  },
  {
    name: 'purge-never-again',
    file: 'src/sync/role/purging.ts',
    from: "return armed(withPurge(step, { stage: 'scheduled', due: addTime(at, pause) }), pause);",
    to: "return withPurge(step, { stage: 'scheduled', due: addTime(at, pause) });",
  },
  {
    name: 'purge-while-committing-ahead',
    file: 'src/sync/role/purging.ts',
    from: "if (purge.stage !== 'due' || stance === 'committingAhead') return step;",
    to: "if (purge.stage !== 'due') return step;",
    past: 'R3: a purge between the commit in advance and the role',
  },
  {
    name: 'merge-without-table',
    file: 'src/sync/role/merging.ts',
    from: "if (peer.isCaughtUp) return pass(ready, 'lastPass', at, settings);",
    to: "return pass(ready, 'lastPass', at, settings);",
  },
  {
    name: 'merge-asks-for-nothing',
    file: 'src/sync/role/merging.ts',
    from: "    { kind: 'askForAll', because: 'another node was MASTER meanwhile' },",
    to: '',
  },
  {
    name: 'merge-untold',
    file: 'src/sync/role/merging.ts',
    from: "    { kind: 'report', report: { kind: 'merged', epoch, ...summary } },",
    to: '',
  },
  {
    name: 'notice-unanswered',
    file: 'src/sync/role/merging.ts',
    from: "    { kind: 'answerNotice', merged: summary },",
    to: '',
  },
  {
    name: 'purge-forgotten-by-restart',
    file: 'src/sync/role/resuming.ts',
    from: 'const duration = Math.max(0, subtractTime(purge.due, at)) as Microseconds;',
    to: 'const duration = Math.max(3_600_000_000, subtractTime(purge.due, at)) as Microseconds;',
    past: 'R28',
  },
  {
    name: 'commit-cut-by-restart',
    file: 'src/sync/role/resuming.ts',
    from: "return course.for === 'ahead' ? undefined : { to: 'commitForRole' };",
    to: 'return undefined;',
    past: 'R29',
  },
  {
    name: 'no-last-look-for-adoption',
    file: 'src/sync/role/adoptWork.ts',
    from: '      this.#isLastLook = true;',
    to: '      this.#isLastLook = false;',
    past: 'found by the simulator',
  },
  {
    name: 'nothing-adopted',
    file: 'src/sync/role/adoptWork.ts',
    from: 'if (!this.#former.isOpen(now, since)) return false;',
    to: 'return false;',
    past: 'A2',
  },
];

const commitAndPurge: readonly SeededBug[] = [
  {
    name: 'a-minute-for-everything',
    file: 'src/conntrack/kernel/flowCommit.ts',
    from: '  if (left > 0) return left;',
    to: '',
    past: 'A1',
  },
  {
    name: 'bare-difference-of-times',
    file: 'src/conntrack/kernel/flowCommit.ts',
    from: 'return flow.get(recordWord.timeout) - subtractSeconds(nowSeconds, flow.get(recordWord.updated));',
    to: 'return flow.get(recordWord.updated) - subtractSeconds(nowSeconds, flow.get(recordWord.timeout));',
    past: 'A1',
  },
  {
    name: 'commit-skips-the-rest',
    file: 'src/conntrack/kernel/flowCommit.ts',
    from: 'if (++this.#phase === phases.length) return true;',
    to: 'if (++this.#phase === phases.length - 1) return true;',
  },
  {
    name: 'dead-flows-committed-alone',
    file: 'src/conntrack/kernel/flowCommit.ts',
    from: 'if (this.#table.lifecycle(this.#slot) === lifecycle.dead || phaseOf(flow) !== phase) continue;',
    to: 'if (this.#table.lifecycle(this.#slot) !== lifecycle.dead || phaseOf(flow) !== phase) continue;',
  },
  {
    name: 'existing-flows-stay-gone',
    file: 'src/conntrack/kernel/flowInjector.ts',
    from: '      this.#put(flow, slot, action.recreate, timeoutSeconds, withoutHelper, withoutMaster);',
    to: '',
  },
  {
    name: 'last-batch-unsent',
    file: 'src/conntrack/kernel/flowInjector.ts',
    from: 'if (batch.count === flowsPerBatch || !batch.hasRoom(largestRequest)) this.#send();',
    to: 'if (batch.count === flowsPerBatch - 1) batch.clear();',
  },
  {
    name: 'taken-back-too-much',
    file: 'src/sync/role/undoCommit.ts',
    from: '    if (internal.find(flow) === 0) injector.remove(flow, slot);',
    to: '    injector.remove(flow, slot);',
  },
  {
    name: 'leftover-that-is-served-goes',
    file: 'src/sync/comparison/leftovers.ts',
    from: 'if (!isOther && endOf(flow, nowSeconds) <= this.#endsAt[entry - 1]! + slackSeconds) return true;',
    to: 'if (!isOther) return true;',
  },
  {
    name: 'ended-keys-forgotten',
    file: 'src/sync/comparison/endedKeys.ts',
    from: '    this.#keys.add(hash, keyRest(flow, this.seeds));',
    to: '',
  },
  {
    name: 'purge-unsent',
    file: 'src/sync/comparison/comparedPurge.ts',
    from: '      if (!isOver()) injector.flush();',
    to: '',
  },
  {
    name: 'purge-removes-everything',
    file: 'src/sync/comparison/comparedPurge.ts',
    from: '        if (!keys.has(keyHash(flow, seeds), keyRest(flow, seeds))) return;',
    to: '',
    past: 'A2',
  },
  {
    name: 'served-leftover-purged',
    file: 'src/sync/comparison/comparedPurge.ts',
    from: '        if (!leftovers.isStill(flow, nowSeconds)) return;',
    to: '',
  },
  {
    name: 'mastership-never-complete',
    file: 'src/sync/comparison/mastership.ts',
    from: '  complete(): void {\n    this.#isComplete = true;',
    to: '  complete(): void {\n    this.#isComplete = false;',
  },
  {
    name: 'backup-serves',
    file: 'src/sync/comparison/mastership.ts',
    from: '    this.#cache.setServing(false);',
    to: '    this.#cache.setServing(true);',
    past: 'A11',
  },
  {
    name: 'master-ends-nothing-here',
    file: 'src/sync/role/leftoverWork.ts',
    from: '    if (set.forget(flow)) this.#remove(flow);',
    to: '    if (set.forget(flow)) return;',
  },
];

const replication: readonly SeededBug[] = [
  {
    name: 'loss-not-asked-for',
    file: 'src/sync/stream/modes/ftfw.ts',
    from: '      this.#port.control(headerFlag.nack, (last + 1) >>> 0, (sequence - 1) >>> 0);',
    to: '',
  },
  {
    name: 'one-of-the-lost-not-asked-for',
    file: 'src/sync/stream/modes/ftfw.ts',
    from: '      this.#port.control(headerFlag.nack, (last + 1) >>> 0, (sequence - 1) >>> 0);',
    to: '      this.#port.control(headerFlag.nack, (last + 2) >>> 0, (sequence - 1) >>> 0);',
  },
  {
    name: 'acknowledgement-of-too-much',
    file: 'src/sync/stream/queues/resendQueue.ts',
    from: '      if (sequenceDistance(sequence, to) > 0) return;',
    to: '      if (sequenceDistance(sequence, to) > 8) return;',
  },
  {
    name: 'nothing-sent-again',
    file: 'src/sync/stream/queues/resendQueue.ts',
    from: '      this.#owner.requeueFlow(slot);\n    });',
    to: '      this.#owner.releaseFlow(slot);\n    });',
  },
  {
    name: 'restarted-peer-told-nothing',
    file: 'src/sync/stream/modes/ftfw.ts',
    from: '      this.#helloFirst = sequence;\n      this.#restartWindow(sequence, now);\n      this.#port.streamBegan();\n      this.#port.peerRestarted(sequence);',
    to: '      this.#helloFirst = sequence;\n      this.#restartWindow(sequence, now);\n      this.#port.streamBegan();',
    past: 'a peer that starts again gets nothing until somebody asks',
  },
  {
    name: 'sweep-too-much',
    file: 'src/sync/remote/externalCache.ts',
    from: 'const isKept = this.table.wasSeen(slot) ? sequenceDistance(heard, since) >= 0 : keepsOlder;',
    to: 'const isKept = this.table.wasSeen(slot) ? sequenceDistance(heard, since) >= 4 : keepsOlder;',
  },
  {
    name: 'nothing-swept',
    file: 'src/sync/remote/externalCache.ts',
    from: 'const isKept = this.table.wasSeen(slot) ? sequenceDistance(heard, since) >= 0 : keepsOlder;',
    to: 'const isKept = this.table.wasSeen(slot) || keepsOlder;',
  },
  {
    name: 'mark-of-the-flow-before',
    file: 'src/sync/remote/externalCache.ts',
    from: '      if (!flow.knows(presenceBit.mark)) table.forget(slot, presenceBit.mark);',
    to: '',
    past: 'found by the simulator',
  },
  {
    name: 'sweep-in-another-stream',
    file: 'src/sync/remote/externalSweep.ts',
    from: '      if (isOver() || external.stream !== stream) {',
    to: '      if (isOver() || external.stream === stream) {',
  },
  {
    name: 'end-of-bulk-too-early',
    file: 'src/sync/stream/bulkWalk.ts',
    from: '    if (!this.#isQueued || !nothingWaits) return undefined;',
    to: '    if (!this.#isQueued) return undefined;',
    past: 'an announced end that was believed too early',
  },
  {
    name: 'bulk-skips-a-flow',
    file: 'src/sync/stream/bulkWalk.ts',
    from: '    this.#isWalking = true;\n    this.#since = nextSequence;',
    to: '    this.#isWalking = false;\n    this.#since = nextSequence;',
  },
  {
    name: 'end-of-bulk-once',
    file: 'src/sync/peerChannel/bulkEnds.ts',
    from: 'const repeats = 25;',
    to: 'const repeats = 1;',
  },
  {
    name: 'older-end-of-bulk-believed',
    file: 'src/sync/peerChannel/bulkEnds.ts',
    from: '    if (!catchUp.answers(message.since)) return;',
    to: '',
    past: 'B3',
  },
  {
    name: 'parity-always-equal',
    file: 'src/sync/peerChannel/parity.ts',
    from: "    if (this.#mismatches >= mismatchesThatCount) this.#parity = 'different';",
    to: '',
    past: 'B3 (parity)',
  },
  {
    name: 'parity-of-other-moment',
    file: 'src/sync/peerChannel/parity.ts',
    from: 'if (digest === undefined || last !== (digest.sequence - 1) >>> 0) return undefined;',
    to: 'if (digest === undefined || last === undefined || last < digest.sequence + 1) return undefined;',
  },
  {
    name: 'no-resync-where-different',
    file: 'src/sync/peerChannel/parity.ts',
    from: "if (this.parity(now) !== 'different' && this.#lost === this.#lostThen) return false;",
    to: 'if (this.#lost === this.#lostThen) return false;',
  },
  {
    name: 'end-of-flow-untold',
    file: 'src/sync/local/internalCache.ts',
    from: '      this.#tellEnd(slot, origin);\n      this.#sendDestroy(slot);',
    to: '      this.#tellEnd(slot, origin);\n      this.removeSlot(slot);',
  },
  {
    name: 'overrun-unnoticed',
    file: 'src/conntrack/kernel/kernelEvents.ts',
    from: '    if (!this.#isOverrun) this.#overrun();',
    to: '',
    past: 'A3',
  },
  {
    name: 'replication-bulk-deaf',
    file: 'src/sync/stream/replicator.ts',
    from: 'startBulk(because: string): void {',
    to: 'startBulk(because: string): void {\n    if (because.startsWith("requested")) return;',
  },
];

const vrrp: readonly SeededBug[] = [
  {
    name: 'no-skew',
    file: 'src/vrrp/machine/timing.ts',
    from: '    settings.downTimerAdverts * pace.masterAdvertInterval + skewTime(settings, pace),',
    to: '    (settings.downTimerAdverts - 2) * pace.masterAdvertInterval,',
  },
  {
    name: 'stronger-master-ignored',
    file: 'src/vrrp/machine/instance.ts',
    from: "  if (priority !== ours) return priority < ours ? 'weaker' : 'stronger';",
    to: "  if (priority !== ours) return 'weaker';",
  },
  {
    name: 'weaker-master-wins',
    file: 'src/vrrp/machine/instance.ts',
    from: "  if (priority !== ours) return priority < ours ? 'weaker' : 'stronger';",
    to: "  if (priority !== ours) return 'stronger';",
  },
  {
    name: 'farewell-ignored',
    file: 'src/vrrp/machine/instance.ts',
    from: '    startMasterDownTimer(member, skewTime(settings, instance));',
    to: '',
  },
  {
    name: 'sockets-not-drained',
    file: 'src/vrrp/machine/instance.ts',
    from: "      drainFor(member, 'masterDown');",
    to: "      member.instance.drainingFor = 'masterDown';",
  },
  {
    name: 'addresses-stay-after-role',
    file: 'src/vrrp/machine/roles.ts',
    from: "  act(step, { kind: 'removeVips', instance: instance.name });",
    to: '',
  },
  {
    name: 'advert-timer-not-set-again',
    file: 'src/vrrp/machine/instance.ts',
    from: '  advertise(member);\n  const { masterRefresh',
    to: '  sendAdvert(member);\n  const { masterRefresh',
  },
  {
    name: 'member-left-behind',
    file: 'src/vrrp/machine/prepareTakeover.ts',
    from: '  if (allMembers(step).every(',
    to: '  if (allMembers(step).some(',
  },
];

const targets: readonly SeededBug[] = [
  {
    name: 'loss-of-both-counts',
    file: 'src/vrrp/reach/comparison.ts',
    from: "    case 'lost':\n      return 'lost-by-both';",
    to: "    case 'lost':\n      return 'lost-here-only';",
  },
  {
    name: 'older-probe-answers-question',
    file: 'src/vrrp/reach/questions.ts',
    from: "  return isAnsweredSince(states, required, heardAt) ? 'answered' : undefined;",
    to: "  return states.some(({ latest }) => latest?.isAnswered) ? 'answered' : undefined;",
  },
];

const aroundThem: readonly SeededBug[] = [
  {
    name: 'earlier-life-judged-at-once',
    file: 'src/sync/peerChannel/bulkEnds.ts',
    from: 'const keepsOlder = !this.#mayJudgeOlder();',
    to: 'const keepsOlder = false;',
    past: 'found by the simulator',
  },
  {
    name: 'farewell-for-ever',
    file: 'src/vrrp/status/snapshot.ts',
    from: 'const failure = isSender ? source.senders.failureOf(settings.name) : undefined;',
    to: 'const failure = source.senders.failureOf(settings.name);',
    past: 'found by the simulator',
  },
  {
    name: 'silent-standby-lost',
    file: 'src/sync/client/statusBuilder.ts',
    from: "if (heard === undefined) return mode === 'ALARM' && engine.announcesEnds(now);",
    to: 'if (heard === undefined) return false;',
    past: 'found by the simulator',
  },
  {
    name: 'lost-messages-not-asked-for',
    file: 'src/sync/stream/lossRepair.ts',
    from: "if (settings.mode !== 'NOTRACK' || isCompared || !this.#isDue(lost - before, now)) return;",
    to: 'if (now > 0) return;',
    past: 'found by the simulator',
  },
  {
    name: 'silent-peer-may-take',
    file: 'src/sync/role/handOverCheck.ts',
    from: "const cannotSay = channel.ability() === 'cannot';",
    to: 'const cannotSay = passed >= answerTimeout;',
    past: 'found by the simulator',
  },
  {
    name: 'maintenance-not-kept',
    file: 'src/daemon/disk/roleMemory.ts',
    from: '    this.#maintenance = saved.maintenance;',
    to: '    this.#maintenance = true;',
  },
  {
    name: 'role-of-another-boot',
    file: 'src/daemon/disk/stateFile.ts',
    from: '  if (bootId === undefined || saved.bootId !== bootId) return new Set();',
    to: '',
    past: 'G: a role that was resumed over a boot',
  },
  {
    name: 'worker-not-started-again',
    file: 'src/daemon/worker/workerSupervisor.ts',
    from: 'const firstPause = milliseconds(250);',
    to: 'const firstPause = seconds(3_600);',
  },
];

export const seededBugs: readonly SeededBug[] = [
  ...coordinator,
  ...role,
  ...commitAndPurge,
  ...replication,
  ...vrrp,
  ...targets,
  ...aroundThem,
];
