#!/bin/bash
# Starts a node of the test cluster, or ends it as a power cut would: all its processes at once,
# without a word. with_cluster.sh starts both; a test may end one and start it again.
# usage: node.sh start|kill n1|n2       EVD_TEST_CLUSTER leads to the cluster
#
# A node has process numbers, mounts, a name and /dev/shm of its own, and n2 a network too: as on
# real clusters, 127.0.0.1 and process numbers of one node are nothing to the other.
set -euo pipefail
top=${EVD_TEST_CLUSTER:?which cluster?} what=${1:?start or kill} name=${2:?which node?}
pid_file=$top/node-$name.pid

# The nodes share the machine's cores out: programs count the cores that they may use.
cores() {
  local half=$(($(nproc --all) / 2))
  local mine="0-$((half > 0 ? half - 1 : 0))"
  [ "$name" = n1 ] || mine="$half-$(($(nproc --all) - 1))"
  taskset -c "$mine" true 2>/dev/null || mine=0-$(($(nproc --all) - 1))
  echo "$mine"
}

# The node's network is there as soon as the address is.
wire_n2() { # PROCESS
  until [ ! "/proc/$1/ns/net" -ef /proc/self/ns/net ]; do kill -0 "$1"; done
  until ip link add veth1 type veth peer name veth2 netns "$1" 2>/dev/null; do
    # The old pair goes with the last process of the old node.
    ip link delete veth1 2>/dev/null || true
    kill -0 "$1"
  done
  ip link set veth1 up
  ip route add 10.77.0.2 dev veth1 src 10.77.0.1
  nsenter --net="/proc/$1/ns/net" sh -c '
    ip link set lo up && ip address add 10.77.0.2/24 dev veth2 && ip link set veth2 up'
}

start() {
  local address=10.77.0.1 network=()
  [ "$name" = n1 ] || address=10.77.0.2 network=(--net)
  # The shell stays, as init does on a real node: it collects what the others leave behind.
  # shellcheck disable=SC2016  # expanded inside
  setsid unshare --mount --uts --pid --fork --kill-child --mount-proc "${network[@]}" bash -c '
    hostname "$1" && mount -t tmpfs tmpfs /dev/shm &&
      until ip -brief address | grep -qF "$4/"; do read -r -t 0.05 <> <(:) || true; done &&
      { taskset -c "$3" slurmd -D -b -f "$2/slurm.conf" -N "$1" & wait; }
    ' node "$name" "$top" "$(cores)" "$address" </dev/null >>"$top/log/slurmd-$name.out" 2>&1 &
  local node=$!
  echo "$node" >"$pid_file"
  [ "$name" = n1 ] || wire_n2 "$node"
}

case $what in
  start) start ;;
  kill) kill -KILL "$(cat "$pid_file")" ;;
  *) echo "node.sh: start or kill?" >&2 && exit 64 ;;
esac
