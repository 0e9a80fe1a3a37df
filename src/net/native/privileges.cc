// Narrows the capabilities of the calling thread and executes a program in its place: all threads
// but this one end there, and those of the new program inherit what is left (capabilities(7)).
#include "privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "arguments.h"
#include "capability_sets.h"
#include "napi_values.h"

namespace keepstate {

namespace {

std::vector<std::string> Strings(napi_env env, napi_value array) {
  std::vector<std::string> result;
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) return result;
  for (uint32_t i = 0; i < length; i++) {
    napi_value value = nullptr;
    size_t bytes = 0;
    napi_get_element(env, array, i, &value);
    if (napi_get_value_string_utf8(env, value, nullptr, 0, &bytes) != napi_ok) return {};
    std::string text(bytes, '\0');
    napi_get_value_string_utf8(env, value, text.data(), bytes + 1, &bytes);
    result.push_back(text);
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& one : strings) result.push_back(one.data());
  result.push_back(nullptr);
  return result;
}

// The whole identity of this thread alone: the others end with execve(2).
int BecomeUser(const uint32_t* identity, size_t count) {
  std::vector<gid_t> groups(identity + 2, identity + count);
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return errno;
  if (syscall(SYS_setgroups, groups.size(), groups.data()) != 0) return errno;
  const gid_t group = identity[1];
  const uid_t user = identity[0];
  if (syscall(SYS_setresgid, group, group, group) != 0) return errno;
  if (syscall(SYS_setresuid, user, user, user) != 0) return errno;
  return 0;
}

// Node.js marks what it was started with as closed by execve(2).
void KeepStandardFiles() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
  }
}

}  // namespace

napi_value ExecuteWith(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  uint8_t* kept_bytes = nullptr;
  uint8_t* identity_bytes = nullptr;
  size_t kept_length = 0;
  size_t identity_length = 0;
  if (!arguments.Memory(0, &kept_bytes, &kept_length) || kept_length != sizeof(Kept) ||
      !arguments.Memory(1, &identity_bytes, &identity_length)) {
    return Number(env, EINVAL);
  }
  const Kept kept = *reinterpret_cast<Kept*>(kept_bytes);
  const auto* identity = reinterpret_cast<uint32_t*>(identity_bytes);
  const size_t identity_count = identity_length / sizeof(uint32_t);
  std::vector<std::string> words = Strings(env, arguments.value[2]);
  std::vector<std::string> environment = Strings(env, arguments.value[3]);
  if (words.empty() || identity_count == 1) return Number(env, EINVAL);
  const std::vector<char*> argv = Pointers(words);
  const std::vector<char*> envp = Pointers(environment);
  int code = NarrowBoundingSet(kept);
  // Whoever is not root may go on with the bounding set: it gets nothing by it.
  if (code != 0 && geteuid() == 0) return Number(env, code);
  const bool changes = identity_count >= 2;
  if (changes && (code = BecomeUser(identity, identity_count)) != 0) return Number(env, code);
  if ((code = NarrowThread(kept, geteuid() != 0)) != 0) return Number(env, code);
  KeepStandardFiles();
  execve(argv[0], argv.data(), envp.data());
  return Number(env, errno);
}

}  // namespace keepstate
