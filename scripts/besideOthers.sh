#!/usr/bin/env bash
# Runs a command on a machine that has other work: a conntrackd and a pair of keepstates in network namespaces of
# their own, under changing flows, and busy loops. As root, after a build:
#
#   scripts/besideOthers.sh [--load N] ./check
# shellcheck disable=SC2317 # `stop` is called by a trap
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

load=4
if [ "${1:-}" = --load ]; then
  load=$2
  shift 2
fi
if [ ! -e dist/.built ]; then
  echo "not built: npm run build" >&2
  exit 2
fi
if [ $# -eq 0 ]; then
  sed -n '2,5s/^# \?//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

scratch=$(mktemp -d)
# Not the laboratory's names: no test takes these for its own.
hosts=("other$$a" "other$$b" "other$$c")
started=()

stop() {
  [ ${#started[@]} -gt 0 ] && kill "${started[@]}" 2>/dev/null
  wait
  for host in "${hosts[@]}"; do ip netns delete "$host" 2>/dev/null; done
  rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT TERM

# background COMMAND...: until the end of this script, outside the checks of what a run leaves behind.
background() {
  env -u KEEPSTATE_CHECK_RUN -u KEEPSTATE_CHECK_LABS "$@" </dev/null >>"$scratch/log" 2>&1 &
  started+=($!)
}

for host in "${hosts[@]}"; do
  ip netns add "$host"
  ip -n "$host" link set lo up
done
ip -n "${hosts[0]}" link add sync type veth peer name sync netns "${hosts[1]}"
ip -n "${hosts[2]}" link add sync type veth peer name far
ip -n "${hosts[2]}" link set far up
for i in 0 1 2; do
  ip -n "${hosts[i]}" address add "192.0.2.$((i % 2 + 1))/24" dev sync
  ip -n "${hosts[i]}" link set sync up
done

general() {
  cat <<TEXT
Sync {
  Mode FTFW {
  }
  UDP {
    IPv4_address 192.0.2.$1
    IPv4_Destination_Address 192.0.2.$2
    Port 3780
    Interface sync
  }
}
General {
  LockFile $scratch/$3.lock
  UNIX {
    Path $scratch/$3.ctl
  }
}
TEXT
}
for i in 0 1; do
  mkdir "$scratch/node$i"
  {
    cat <<TEXT
global_defs {
  state_directory $scratch/node$i
  control_socket $scratch/node$i/control.sock
}
vrrp_instance OTHER {
  interface sync
  virtual_router_id 51
  priority $((150 - 50 * i))
  virtual_ipaddress {
    192.0.2.100/24
  }
}
TEXT
    general $((i + 1)) $((2 - i)) "node$i"
  } >"$scratch/node$i.conf"
  background ip netns exec "${hosts[i]}" node bin/keepstate run --config "$scratch/node$i.conf"
done
general 1 2 conntrackd >"$scratch/conntrackd.conf"
background ip netns exec "${hosts[2]}" conntrackd -C "$scratch/conntrackd.conf"
for host in "${hosts[@]}"; do
  # shellcheck disable=SC2016 # expanded by the inner shell
  background ip netns exec "$host" sh -c 'n=0; while sleep 0.2; do n=$((n % 9999 + 1))
    conntrack -I -p udp -t 2 -s 198.51.100.1 -d 203.0.113.1 --sport $((n + 1000)) --dport 9 >/dev/null 2>&1; done'
done
for ((i = 0; i < load; i++)); do background sh -c 'while :; do :; done'; done

sleep 5
for pid in "${started[@]}"; do
  if ! kill -0 "$pid" 2>/dev/null; then
    echo "not all of the other programs run:" >&2
    tail -n 20 "$scratch/log" >&2
    exit 1
  fi
done
"$@"
code=$?
for pid in "${started[@]}"; do
  kill -0 "$pid" 2>/dev/null || { echo "one of the other programs has ended: a test reached it" >&2; code=1; }
done
exit "$code"
