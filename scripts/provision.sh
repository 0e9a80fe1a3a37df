# shellcheck shell=bash
# What a fresh Debian machine needs before keepstate can be built and its laboratory can run. Sourced by
# check and demo; the caller defines say().

packages=(
  build-essential python3 iproute2 nftables conntrack conntrackd keepalived tcpdump tshark procps
  iputils-ping iputils-arping kmod util-linux shellcheck systemd
)

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      echo "$package"
    fi
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi
  say "installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    echo "this needs root: apt-get install ${missing[*]}" >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update </dev/null &&
    apt-get -q -y --no-install-recommends install "${missing[@]}" </dev/null
}

# Node.js brings its own headers as a rule; then nothing needs to be downloaded to build the addons.
with_headers() {
  local prefix
  prefix=$(node -p "require('node:path').dirname(require('node:path').dirname(process.execPath))")
  if [ -z "${npm_config_nodedir:-}" ] && [ -f "$prefix/include/node/node.h" ]; then
    npm_config_nodedir=$prefix "$@"
  else
    "$@"
  fi
}

install_modules() {
  if [ -f node_modules/.package-lock.json ] &&
    [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
    return 0
  fi
  say 'npm ci'
  with_headers npm ci --no-audit --no-fund </dev/null
}

has_node() {
  if command -v node >/dev/null &&
    node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>20||(a===20&&b>=19)?0:1)'; then
    return 0
  fi
  echo 'Node.js 20.19 or newer is needed and not installed' >&2
  return 1
}
