# shellcheck shell=bash
# Sourced by the job scripts: run_stage PROGRAM DIR ROUND [ARGUMENT...] starts one stage by srun and
# requeues the job when it stopped early with its work saved (exit code 75). ROUND is a number or
# `start`. What differs between sites stands in DIR/site.toml. The stage's own output goes to
# DIR/logs/<stage>-<round>-<job>.<life>.log, which the job's output names.

# Value of a line `key = "value"`.
site_value() {
  sed -n "s/^$2 *= *\"\([^\"]*\)\".*/\1/p" "$1/site.toml" | head -n 1
}

# Where a life of a stage writes: log_name PROGRAM ROUND [ARGUMENT...].
log_name() {
  local stage=${1#evd-} round=$2 argument
  shift 2
  for argument; do
    [ "$argument" != --score ] || stage=score
  done
  [ "$round" = start ] || round=$(printf '%04d' "$((10#$round))")
  echo "$stage-$round-$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.log"
}

run_stage() {
  local program=$1 dir=$2 round=$3 rc=0
  shift 3
  local which=(--round "$round")
  [ "$round" != start ] || which=(--start)
  local environment prefix mpi restarts log
  environment=$(site_value "$dir" environment)
  prefix=$(site_value "$dir" prefix)
  mpi=$(site_value "$dir" mpi)
  restarts=$(site_value "$dir" max_restarts)
  # shellcheck source=/dev/null
  [ -z "$environment" ] || . "$environment"
  # From 22.05 to 23.02 srun did not take this over from sbatch.
  export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}
  # At the time limit the shell gets SIGTERM too: it must live on to see how the stage ended.
  trap : TERM
  # -K1: when a rank dies, the others do not wait in a collective until the time limit.
  mkdir -p "$dir/logs"
  log=$dir/logs/$(log_name "$program" "$round" "$@")
  echo "$program writes to $log"
  srun --mpi="${mpi:-pmix}" -K1 "$prefix/bin/$program" "$dir" "${which[@]}" "$@" >>"$log" 2>&1 ||
    rc=$?
  [ "$rc" -eq 0 ] || echo "$program ended with $rc, the last lines: $(tail -n 5 "$log")" >&2
  if [ "$rc" -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt "${restarts:-20}" ]; then
    # Ends this script; the wait keeps it from running on until it does.
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
  fi
  return "$rc"
}
