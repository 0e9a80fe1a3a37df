// Narrows the capabilities of each thread of this process, as libpsx does: a thread changes its own
// only, and Node.js has several from its start. A signal has them do it. It is the one by which
// glibc changes the user of all threads, since that alone no thread can block: the thread that waits
// for SIGUSR1 blocks all others. glibc's handler stands there again afterwards.
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "arguments.h"
#include "capability_sets.h"
#include "napi_values.h"
#include "privileges.h"

namespace keepstate {

namespace {

constexpr int kSignalOfGlibc = 33;  // SIGSETXID
constexpr int kMostRounds = 1000;
constexpr timespec kRound = {0, 1'000'000};

// As the kernel has it, on x86-64 and arm64 (struct sigaction of asm/signal.h).
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};

struct Request {
  Kept kept;
  bool is_root;
  std::atomic<int> code{0};
};

std::atomic<Request*> current{nullptr};

int NarrowHere(const Request& request) {
  const int code = NarrowBoundingSet(request.kept);
  // Whoever is not root may go on with the bounding set: it gets nothing by it.
  if (code != 0 && request.is_root) return code;
  return NarrowThread(request.kept, !request.is_root);
}

void OnSignal(int) {
  const int before = errno;
  Request* request = current.load();
  if (request != nullptr) {
    const int code = NarrowHere(*request);
    if (code != 0) request->code = code;
  }
  errno = before;
}

// What a handler returns by is glibc's own: it sets it with any handler of its `sigaction`.
int TakeSignal(KernelAction* before) {
  struct sigaction own = {};
  struct sigaction previous = {};
  own.sa_handler = OnSignal;
  own.sa_flags = SA_RESTART;
  if (sigaction(SIGRTMAX, &own, &previous) != 0) return errno;
  KernelAction action = {};
  const bool is_read =
      syscall(SYS_rt_sigaction, SIGRTMAX, nullptr, &action, sizeof(action.mask)) == 0;
  const int code = is_read ? 0 : errno;
  sigaction(SIGRTMAX, &previous, nullptr);
  if (code != 0) return code;
  const long taken =
      syscall(SYS_rt_sigaction, kSignalOfGlibc, &action, before, sizeof(action.mask));
  return taken == 0 ? 0 : errno;
}

// The lines of a thread that name its capabilities; empty where it has ended.
std::string CapabilitiesOf(long thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/status";
  FILE* file = fopen(path.c_str(), "re");
  if (file == nullptr) return "";
  std::string lines;
  char line[256];
  while (fgets(line, sizeof(line), file) != nullptr) {
    if (strncmp(line, "Cap", 3) == 0) lines += line;
  }
  fclose(file);
  return lines;
}

// The number of threads that do not have the capabilities of this one. Each is sent the signal once:
// none may be left waiting when glibc's handler stands there again.
int SendToOthers(const std::string& wanted, std::set<long>& told) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 1;
  int others = 0;
  while (const dirent* entry = readdir(tasks)) {
    const long thread = atol(entry->d_name);
    if (thread <= 0) continue;
    const std::string found = CapabilitiesOf(thread);
    if (found.empty() || found == wanted) continue;
    others++;
    if (told.insert(thread).second) syscall(SYS_tgkill, getpid(), thread, kSignalOfGlibc);
  }
  closedir(tasks);
  return others;
}

// A thread that one of them starts meanwhile has what that one had: until a round finds none.
int NarrowOthers(const Request& request) {
  const std::string wanted = CapabilitiesOf(syscall(SYS_gettid));
  if (wanted.empty()) return ENOENT;
  std::set<long> told;
  for (int round = 0; round < kMostRounds; round++) {
    if (SendToOthers(wanted, told) == 0) return 0;
    if (request.code.load() != 0) return request.code.load();
    nanosleep(&kRound, nullptr);
  }
  return ETIMEDOUT;
}

}  // namespace

napi_value NarrowThreads(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  uint8_t* bytes = nullptr;
  size_t length = 0;
  if (!arguments.Memory(0, &bytes, &length) || length != sizeof(Kept)) return Number(env, EINVAL);
  static Request request;
  memcpy(&request.kept, bytes, sizeof(Kept));
  request.code = 0;
  request.is_root = geteuid() == 0;
  int code = NarrowHere(request);
  if (code != 0) return Number(env, code);
  current = &request;
  KernelAction before = {};
  if ((code = TakeSignal(&before)) == 0) {
    code = NarrowOthers(request);
    // A signal that somebody still has before it would be glibc's ruin: then ours stays.
    if (code == 0) syscall(SYS_rt_sigaction, kSignalOfGlibc, &before, nullptr, sizeof(before.mask));
  }
  current = nullptr;
  return Number(env, code);
}

}  // namespace keepstate
