// What JavaScript takes: numbers as doubles, and the bytes of the beats that were heard.
#include <errno.h>
#include <string.h>

#include <mutex>

#include "beat_binding.h"

namespace keepstate {

namespace {

using Guard = std::lock_guard<InheritingMutex>;

// Milliseconds, or -1 where nothing has happened yet.
double Since(uint64_t then, uint64_t now) {
  return then == 0 ? -1 : static_cast<double>(now - then) / kMillisecond;
}

// Appends while there is room; the order is that of src/net/beat/beatReport.ts.
struct Row {
  double* at;
  double* end;

  void operator()(double value) {
    if (at < end) *at++ = value;
  }
};

void PutFacts(Row* row, const Facts& facts, const BeatThread& thread, uint64_t now) {
  const double values[] = {
      static_cast<double>(facts.news),
      static_cast<double>(facts.ticks),
      static_cast<double>(facts.sequence),
      static_cast<double>(facts.lateness) / kMillisecond,
      static_cast<double>(facts.loop_age) / kMillisecond,
      static_cast<double>(facts.longest_stand) / kMillisecond,
      static_cast<double>(facts.peer_loop_age),
      static_cast<double>(facts.peer_lateness),
      Since(thread.listener.peer_heard_at(), now),
      static_cast<double>(thread.priority.policy()),
      static_cast<double>(thread.priority.priority()),
      static_cast<double>(thread.priority.refusal()),
      static_cast<double>(thread.priority.overruns()),
      static_cast<double>(thread.priority.used()) / kMillisecond,
      static_cast<double>(thread.probe.sent()),
      static_cast<double>(thread.probe.failed()),
  };
  for (const double value : values) (*row)(value);
}

void PutPath(Row* row, size_t index, const BeatPath& path, uint64_t now) {
  const PathCounts& counts = path.counts();
  (*row)(static_cast<double>(index));
  (*row)(static_cast<double>(path.State()));
  (*row)(Since(path.heard_at(), now));
  (*row)(path.peer_interval());
  for (const uint64_t count : {counts.sent, counts.send_errors, counts.last_errno, counts.accepted,
                               counts.lost, counts.silences, counts.blind_ticks}) {
    (*row)(static_cast<double>(count));
  }
  for (size_t i = kAccepted + 1; i < kRefusals; i++) (*row)(static_cast<double>(counts.refused[i]));
}

}  // namespace

// takeReport(into, isTold): how many paths stand in it; what is told is new no more.
int BeatBinding::TakeReport(const Arguments& call) {
  Row row;
  if (!call.Doubles(0, &row.at, &row.end)) return -EINVAL;
  const Guard guard(thread_.mutex);
  const uint64_t now = Monotonic();
  PutFacts(&row, call.Bool(1) ? thread_.TakeFacts() : thread_.facts, thread_, now);
  int count = 0;
  for (size_t i = 0; i < kMostPaths; i++) {
    if (thread_.paths[i] == nullptr) continue;
    PutPath(&row, i, *thread_.paths[i], now);
    count++;
  }
  return count;
}

int BeatBinding::Copy(const Arguments& call, const HeardBeat& beat) {
  uint8_t* into;
  size_t size;
  if (!call.Memory(0, &into, &size) || size < beat.length) return -EINVAL;
  memcpy(into, beat.bytes.data(), beat.length);
  return static_cast<int>(beat.length);
}

// takeBeat(into): header and content of the newest beat of the peer's session; 0: none yet.
int BeatBinding::TakeBeat(const Arguments& call) {
  const Guard guard(thread_.mutex);
  return Copy(call, thread_.listener.peer());
}

// takeStranger(into): the same for a beat that is verified and of another session.
int BeatBinding::TakeStranger(const Arguments& call) {
  const Guard guard(thread_.mutex);
  return Copy(call, thread_.listener.stranger());
}

// deliver(index, datagram): as though this IP datagram had come in on the path; why it counts for
// nothing, or 0.
int BeatBinding::Deliver(const Arguments& call) {
  uint8_t* bytes;
  size_t length;
  if (!call.Memory(1, &bytes, &length)) return -EINVAL;
  const Guard guard(thread_.mutex);
  BeatPath* path = PathAt(call);
  if (path == nullptr) return -ENOENT;
  return static_cast<int>(
      thread_.listener.Hear(path, {bytes, length}, &thread_.seal, Monotonic()));
}

}  // namespace keepstate
