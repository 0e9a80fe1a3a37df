// What happens in a tick: send, read, and notice what is missing.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "beat_thread.h"

namespace keepstate {

namespace {

constexpr uint64_t kLatenessPeriod = 10 * kSecond;

}  // namespace

void BeatThread::Tick(uint64_t now, uint64_t expirations) {
  tick_ += expirations;
  facts.ticks++;
  has_woken_ = false;
  const uint64_t due = began_ + tick_ * interval_;
  const uint64_t late = (now > due ? now - due : 0) + (expirations - 1) * interval_;
  NoteLateness(late, now);
  WatchLoop(now, late);
  shares_.fill(BeatListener::kMostPerTick);
  // What this thread did not look for was not silent.
  if (late > 2 * interval_) {
    for (const auto& path : paths) {
      if (path != nullptr) path->Pause(late, now);
    }
  }
  Send(now);
  Read(now);
  EndIfReplaced(now);
}

void BeatThread::NoteLateness(uint64_t late, uint64_t now) {
  if (now - lateness_since_ >= kLatenessPeriod) {
    lateness_before_ = lateness_now_;
    lateness_now_ = 0;
    lateness_since_ = now;
  }
  lateness_now_ = std::max(lateness_now_, late);
  facts.lateness = std::max(lateness_now_, lateness_before_);
}

void BeatThread::Send(uint64_t now) {
  const bool stands = standing.after != 0 && facts.loop_age >= standing.after;
  SaidBeat& said = stands ? standing.beat : beat;
  if (said.length == 0) return;
  uint8_t* bytes = said.bytes.data();
  facts.sequence++;
  Put(bytes, 4, kBeatMagic);
  memcpy(bytes + kSessionAt, session.data(), kSessionBytes);
  Put(bytes + kLatenessAt, 2, AtMost(facts.lateness / kMillisecond, UINT16_MAX));
  Put(bytes + kSequenceAt, 8, facts.sequence);
  Put(bytes + kLoopAgeAt, 4, AtMost(facts.loop_age / kMillisecond, UINT32_MAX));
  for (const auto& path : paths) {
    if (path == nullptr || !path->IsDue(tick_)) continue;
    path->Send(bytes, said.length, path->settings().divider * interval_ / kMillisecond, &seal);
  }
}

// A process that was stopped, or whose machine was, says at once that it stood still, but does not
// end by it: it reads what was said meanwhile, and then its main thread decides.
void BeatThread::WatchLoop(uint64_t now, uint64_t late) {
  const bool was_away = late > 2 * interval_;
  facts.loop_age = std::max(loop_->Age(now, was_away), loop_->TakeGap());
  facts.longest_stand = std::max(facts.longest_stand, facts.loop_age);
  const bool is_new = facts.loop_age < now - last_tick_ || was_away;
  seen_standing_ = is_new ? 0 : seen_standing_ + now - last_tick_;
  last_tick_ = now;
}

void BeatThread::EndIfReplaced(uint64_t now) {
  const HeardBeat& peer = listener.peer();
  const size_t at = kBeatHeaderBytes + standing.offset;
  if (standing.after == 0 || seen_standing_ < standing.after || at >= peer.length) return;
  if (listener.peer_heard_at() != now || (peer.bytes[at] & standing.bits) == 0) return;
  // Nothing of the process can be trusted to end by itself.
  kill(getpid(), SIGKILL);
}

// Slow paths are looked at four times between two of their beats, and before each verdict.
void BeatThread::Read(uint64_t now) {
  for (size_t i = 0; i < kMostPaths; i++) {
    BeatPath* path = paths[i].get();
    if (path == nullptr) continue;
    const uint64_t pause = std::max(1u, path->settings().divider / 4);
    if ((tick_ + i) % pause != 0 && !path->IsLate(now)) continue;
    if (path->is_down()) path->LookAtCarrier();
    listener.Read(path, &shares_[i], &seal, now);
  }
}

void BeatThread::Judge(uint64_t now) {
  for (size_t i = 0; i < kMostPaths; i++) {
    BeatPath* path = paths[i].get();
    if (path == nullptr) continue;
    listener.Read(path, &shares_[i], &seal, now);
    path->Judge(now);
  }
}

void BeatThread::Watch(uint64_t now) {
  const uint64_t next_tick = began_ + (tick_ + 1) * interval_;
  bool is_any_over = false;
  deadline_ = 0;
  for (const auto& path : paths) {
    if (path == nullptr || !path->IsWaitedFor()) continue;
    is_any_over = is_any_over || now >= path->Deadline();
    for (const uint64_t at : {path->HalfDeadline(), path->Deadline()}) {
      if (at > now && at < next_tick && (deadline_ == 0 || at < deadline_)) deadline_ = at;
    }
  }
  // Without a loop-back there is nothing to ask.
  if (is_any_over && !probe.Send()) Judge(now);
}

void BeatThread::Summarise(uint64_t now) {
  size_t silent = 0, late = 0, others = 0;
  for (const auto& path : paths) {
    if (path == nullptr) continue;
    const PathState state = path->State();
    if (state == PathState::kSilent) silent++;
    else if (path->IsLate(now)) late++;
    else if (state == PathState::kLiving || state == PathState::kBlind) others++;
  }
  const HeardBeat& peer = listener.peer();
  facts.peer_loop_age = peer.length == 0 ? 0 : peer.Field(kLoopAgeAt, 4);
  facts.peer_lateness = peer.length == 0 ? 0 : peer.Field(kLatenessAt, 2);
  const bool peer_stands = peer_limit != 0 && facts.peer_loop_age >= peer_limit;
  const bool own_stands = own_limit != 0 && facts.longest_stand >= own_limit;
  const auto set = [&](News bit, bool is_so) {
    facts.news = is_so ? facts.news | bit : facts.news & ~bit;
  };
  set(kAllSilent, silent > 0 && late + others == 0);
  set(kAllLate, silent + late > 0 && others == 0);
  set(kPeerStands, peer_stands);
  set(kOwnStands, own_stands);
  // These two stay until they are taken.
  if (listener.TakePeerChange()) set(kPeerBeat, true);
  if (listener.TakeStrangerChange()) set(kStrangerBeat, true);
}

// At most one wake-up in each tick; what changed afterwards is told by the next.
void BeatThread::Publish() {
  if (has_woken_) return;
  bool changed = facts.news != known_facts_.news ||
                 facts.peer_lateness != known_facts_.peer_lateness;
  for (size_t i = 0; i < kMostPaths; i++) {
    const PathState state = paths[i] == nullptr ? PathState::kUnknown : paths[i]->State();
    changed = changed || state != known_[i];
    known_[i] = state;
  }
  if (!changed) return;
  known_facts_ = facts;
  has_woken_ = true;
  loop_->Wake();
}

Facts BeatThread::TakeFacts() {
  const Facts taken = facts;
  facts.longest_stand = 0;
  for (Facts* each : {&facts, &known_facts_}) each->news &= ~(kPeerBeat | kStrangerBeat);
  return taken;
}

}  // namespace keepstate
