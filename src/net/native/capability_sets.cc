#include "capability_sets.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keepstate {

int NarrowBoundingSet(const Kept& kept) {
  for (int capability = 0; capability < kMostCapabilities; capability++) {
    if (kept.Has(capability) || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return errno;
  }
  return 0;
}

int NarrowThread(const Kept& kept, bool is_handed_on) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return errno;
  for (int i = 0; i < 2; i++) {
    data[i].permitted &= kept.words[i];
    data[i].effective = data[i].permitted;
    data[i].inheritable = is_handed_on ? data[i].permitted : 0;
  }
  if (syscall(SYS_capset, &header, data) != 0) return errno;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
  if (!is_handed_on) return 0;
  for (int capability = 0; capability < kMostCapabilities; capability++) {
    if (((data[capability >> 5].permitted >> (capability & 31)) & 1) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return errno;
  }
  return 0;
}

}  // namespace keepstate
