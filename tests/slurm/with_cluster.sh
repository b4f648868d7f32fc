#!/bin/bash
# Runs a command inside a Slurm of its own: a real controller and two real nodes on this machine.
# usage: with_cluster.sh COMMAND...       needs root; SLURM_CONF leads the command to it
#
# Everything lives in namespaces and one temporary directory: process numbers, mounts, names and
# network are private, so clusters may run side by side, and all of it ends with this script,
# however that ends. node.sh beside it ends a node and starts it again. EVD_KEEP_TEMP=1 keeps the
# directory with the logs.
#
# Partitions: main, urgent (its jobs preempt those of the others, which are requeued), and gpu and
# cpu as configs/sites/gpu-cluster.toml has them. The GPUs are four devices that swallow all, on
# each node: Slurm counts and hands them out, nothing can compute on them.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
  top=$(mktemp -d "${TMPDIR:-/tmp}/evd-slurm-XXXXXX")
  rc=0
  unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc \
    bash "$0" --inside "$top" "$@" &
  inside=$!
  trap 'kill -KILL "$inside"' TERM INT HUP
  wait "$inside" || rc=$?
  if [ -n "${EVD_KEEP_TEMP:-}" ]; then echo "kept: $top"; else rm -rf "$top"; fi
  exit "$rc"
fi
top=$2
nodes=$(dirname "$0")/node.sh
shift 2

write_configuration() {
  mkdir -p "$top"/{state,log,spool-n1,spool-n2,tmp-n1,tmp-n2}
  chmod 755 "$top"
  cat >"$top/slurm.conf" <<CONF
ClusterName=evdtest
SlurmctldHost=n1(10.77.0.1)
SlurmUser=root
AuthType=auth/munge
# A requeued job waits for its old credential to expire: 2 minutes by default.
AuthInfo=socket=$top/munge.socket,cred_expire=5
MpiDefault=pmix
StateSaveLocation=$top/state
SlurmdSpoolDir=$top/spool-%n
TmpFS=$top/tmp-%n
SlurmctldPidFile=$top/slurmctld.pid
SlurmdPidFile=$top/slurmd-%n.pid
SlurmctldLogFile=$top/log/slurmctld.log
SlurmdLogFile=$top/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,sched_min_interval=100000,bf_interval=2,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
# How soon a dead node is noticed.
SlurmdTimeout=10
KillWait=10
GresTypes=gpu
NodeName=DEFAULT CPUs=48 RealMemory=4000 Feature=h100 Gres=gpu:fake:4
NodeName=n1 NodeAddr=10.77.0.1
NodeName=n2 NodeAddr=10.77.0.2
PartitionName=DEFAULT Nodes=ALL MaxTime=24:00:00 PriorityTier=1 GraceTime=20
PartitionName=main Default=YES
PartitionName=gpu
PartitionName=cpu
PartitionName=urgent PriorityTier=10
CONF
  for i in {0..3}; do mknod "$top/gpu$i" c 1 3; done # as /dev/null
  echo "NodeName=n[1-2] Name=gpu Type=fake File=$top/gpu[0-3] Flags=nvidia_gpu_env" \
    >"$top/gres.conf"
  printf '127.0.0.1 localhost\n10.77.0.1 n1\n10.77.0.2 n2\n' >"$top/hosts"
  (umask 077 && head -c 128 /dev/urandom >"$top/munge.key")
}

wait_for() { # WHAT COMMAND...
  local what=$1 begun=$SECONDS
  shift
  until "$@" >/dev/null 2>&1; do
    if [ $((SECONDS - begun)) -ge 60 ]; then
      echo "the test cluster: $what did not come up within 60 s" >&2
      tail -n 5 "$top"/log/* >&2
      exit 70
    fi
    read -r -t 0.1 <> <(:) || true
  done
}

# shellcheck disable=SC2317  # called by wait_for
both_idle() { [ "$(sinfo --noheader --partition=main --states=idle --format=%D)" = 2 ]; }

write_configuration
hostname n1
mount --bind "$top/hosts" /etc/hosts
export SLURM_CONF=$top/slurm.conf
ip link set lo up
# n1's address, which stays when n2 ends and takes its end of the wire along.
ip link add eth0 type veth peer name switch
ip address add 10.77.0.1/32 dev eth0
ip link set switch up
ip link set eth0 up
munged --force --foreground --key-file="$top/munge.key" --socket="$top/munge.socket" \
  --pid-file="$top/munge.pid" --log-file="$top/log/munged.log" --seed-file="$top/munge.seed" \
  >"$top/log/munged.out" 2>&1 &
wait_for munged munge --socket="$top/munge.socket" --no-input
export EVD_TEST_CLUSTER=$top
bash "$nodes" start n1
bash "$nodes" start n2
slurmctld -D -f "$top/slurm.conf" >>"$top/log/slurmctld.out" 2>&1 &
wait_for "two idle nodes" both_idle
# The nodes share this machine's cores: a rank that waits gives way to one that works.
export OMPI_MCA_mpi_yield_when_idle=1
rc=0
"$@" || rc=$?
exit "$rc"
