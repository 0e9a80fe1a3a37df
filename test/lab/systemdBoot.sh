#!/usr/bin/env bash
# systemdBoot.sh DIRECTORY CGROUP REPOSITORY NODE [BASE]: systemd as process 1 of a machine of its
# own, in the network namespace of the caller. Its root is this machine's, or the folder BASE, seen
# through an overlay that keeps every change in memory; DIRECTORY/files, if there, is laid over
# that. With BASE nothing of this repository is in there. The units that would touch the kernel both
# share (sysctls that no namespace separates, modules, swap, clocks) are masked. Killing unshare(1)
# is the power-off.
set -euo pipefail
directory=$1 cgroup=$2 repository=$3 node=$4 base=${5:-/}

if [ -z "${KEEPSTATE_INSIDE:-}" ]; then
  mount --make-rprivate /
  mkdir -p "$directory/cgroup"
  # A cgroup of its own, which becomes the root that systemd sees.
  mount -t cgroup2 none "$directory/cgroup"
  # What a test left whose process is gone: ks<pid>x<random>-<name>.
  for old in "$directory"/cgroup/ks*; do
    pid=${old##*/ks}
    if [ -d "$old" ] && ! kill -0 "${pid%%x*}" 2>/dev/null; then
      find "$old" -depth -type d -exec rmdir {} + 2>/dev/null || true
    fi
  done
  mkdir "$directory/cgroup/$cgroup"
  echo $$ >"$directory/cgroup/$cgroup/cgroup.procs"
  KEEPSTATE_INSIDE=1 exec unshare --fork --kill-child --pid --mount --uts --ipc --cgroup \
    "$BASH" "${BASH_SOURCE[0]}" "$@"
fi

umount "$directory/cgroup"
memory=$directory/memory root=$directory/memory/root
mkdir -p "$memory"
mount -t tmpfs none "$memory"
mkdir -p "$memory"/{upper,work,root}
mount -t overlay -o "lowerdir=$base,upperdir=$memory/upper,workdir=$memory/work" none "$root"
mount -t proc none "$root/proc"
mount -t sysfs none "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs none "$root/run"
mount --rbind /dev "$root/dev"
# They may be on file systems of their own, which an overlay of / does not show.
if [ "$base" = / ]; then
  mount --bind "$repository" "$root$repository"
  mount --bind "$directory" "$root$directory"
fi

masks=$root/run/systemd/system
mkdir -p "$masks"
for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service \
  systemd-binfmt.service systemd-random-seed.service systemd-tmpfiles-setup-dev.service systemd-udevd.service \
  systemd-udev-trigger.service kmod-static-nodes.service systemd-timesyncd.service systemd-journald-audit.socket \
  systemd-journald-dev-log.socket systemd-update-utmp.service systemd-sysusers.service \
  proc-sys-fs-binfmt_misc.automount dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount \
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount tmp.mount swap.target; do
  ln -s /dev/null "$masks/$unit"
done
: >"$root/etc/fstab"
# A machine as it is after "disable --now" of the incumbents, on which no keepstate has run yet.
rm -rf "$root/var/lib/keepstate" "$root/etc/keepstate"
rm -f "$root"/etc/systemd/system/*.wants/{keepalived,conntrackd,keepstate}.service
echo "keepstate-lab" >"$root/etc/hostname"
# Where a package puts it.
if [ "$base" = / ]; then
  printf '#!/bin/sh\nexec %s %s/bin/keepstate "$@"\n' "$node" "$repository" >"$root/usr/bin/keepstate"
  chmod 755 "$root/usr/bin/keepstate"
fi
if [ -d "$directory/files" ]; then cp -a "$directory/files/." "$root/"; fi

cd "$root"
mkdir -p old
pivot_root . old
umount -l old
exec env -i container=keepstate-lab PATH="$PATH" /lib/systemd/systemd --unit=basic.target \
  --log-target=journal --show-status=0 </dev/null
