#!/usr/bin/env bash
# Runs a command in a private network namespace: loopback, one address that is not loopback (10.77.0.1) and a default
# route that leads nowhere. WebRTC finds host candidates there, a tab can join over an insecure address, and no packet
# leaves the machine. Needs iproute2 and unshare (util-linux); root, or user namespaces for everybody.
set -euo pipefail

if [ $# -eq 0 ]; then
  echo "usage: netns.sh COMMAND [ARGUMENT …]" >&2
  exit 2
fi
for tool in unshare ip; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "netns.sh: '$tool' is missing (Debian: apt-get install util-linux iproute2)" >&2
    exit 3
  fi
done

namespace=(unshare --net)
if [ "$(id -u)" -ne 0 ]; then
  namespace=(unshare --map-root-user --net)
fi
if ! reason=$("${namespace[@]}" true 2>&1); then
  echo "netns.sh: no new network namespace: ${reason:-unshare failed} (run as root, or allow user namespaces)" >&2
  exit 3
fi

exec "${namespace[@]}" bash -euc '
  ip link set lo up
  ip link add va type veth peer name vb
  ip addr add 10.77.0.1/24 dev va
  ip link set va up
  ip link set vb up
  ip route add default via 10.77.0.254 dev va
  export KINDLING_TEST_ADDRESS=10.77.0.1
  exec "$@"' netns "$@"
