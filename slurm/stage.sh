# shellcheck shell=bash
# Sourced by the job scripts: run_stage PROGRAM DIR ROUND [ARGUMENT...] starts one stage by srun and
# requeues the job when it stopped early with its work saved (exit code 75). ROUND is a number or
# `start`. What differs between sites stands in DIR/site.toml. The stage writes to
# DIR/logs/<stage>-<round>-<job>.<life>.log, this script to what sbatch --output says.

# Value of a line `key = "value"`.
site_value() {
  sed -n "s/^$2 *= *\"\([^\"]*\)\".*/\1/p" "$1/site.toml" | head -n 1
}

say() { echo "$(date -u +%FT%TZ) job $SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}: $*"; }

stage_name() { # PROGRAM [ARGUMENT...]
  case " ${*:2} " in *" --score "*) echo score ;; *) echo "${1#evd-}" ;; esac
}

# Told to leave by scancel or preempted, a job is not to come back by our doing: Slurm itself brings
# a preempted one back.
still_wanted() {
  [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ]
}

# A node that lost power keeps the PMIx socket of the step that it ran, and Slurm numbers each
# life's steps from 0: this life's step takes the number of the life, which no earlier one had.
take_step_numbers() {
  local i
  for ((i = 0; i < ${SLURM_RESTART_COUNT:-0}; ++i)); do
    srun --mpi=none --nodes=1 --ntasks=1 true || return 0
  done
}

run_stage() {
  local program=$1 dir=$2 round=$3 rc=0 stage environment prefix mpi restarts
  shift 3
  if [ "$round" != start ] && [[ ! $round =~ ^[0-9]+$ ]]; then
    say "$round is no round: sbatch SCRIPT DIR ROUND [ARGUMENT...], ROUND a number or start"
    exit 64
  fi
  stage=$(stage_name "$program" "$@")
  local which=(--start) result=$dir/start/$stage
  if [ "$round" != start ]; then
    which=(--round "$round")
    [[ ! $round =~ ^[0-9]+$ ]] || round=$(printf %04d "$((10#$round))")
    result=$dir/rounds/$round/$stage
  fi
  local log=$dir/logs/$stage-$round-$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.log
  environment=$(site_value "$dir" environment)
  prefix=$(site_value "$dir" prefix)
  mpi=$(site_value "$dir" mpi)
  restarts=$(site_value "$dir" max_restarts)
  if [ -n "$environment" ]; then
    set +u # modules read variables that are not set
    # shellcheck source=/dev/null
    . "$environment" || say "$environment ended with code $?; going on"
    set -u
  fi
  # From 22.05 to 23.02 srun did not take this over from sbatch.
  export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}
  # At the time limit the shell gets SIGTERM too: it must live on to see how the stage ended.
  trap : TERM
  # -K1: when a rank dies, the others do not wait in a collective until the time limit.
  local command=(srun --mpi="${mpi:-pmix}" -K1 "$prefix/bin/$program" "$dir" "${which[@]}" "$@")
  say "on ${SLURM_JOB_NODELIST:-?}:$(printf ' %q' "${command[@]}") >> $(printf %q "$log")"
  take_step_numbers
  rm -f "$result/board.hang" # of an earlier life
  "${command[@]}" >>"$log" 2>&1 || rc=$?
  # A stage that hung has ended itself with 75, its work saved; srun may say how it killed the others.
  if [ "$rc" -ne 0 ] && [ -f "$result/board.hang" ]; then
    rc=75
  fi
  # srun says 0, too, when it gave up waiting for a step that never began.
  if [ "$rc" -eq 0 ] && [ ! -f "$result/MANIFEST.json" ]; then
    say "srun ended with code 0, but $result/MANIFEST.json is not there: $stage did not run to its end"
    rc=70
  fi
  say "ended with code $rc"
  [ "$rc" -eq 0 ] || tail -n 3 "$log"
  [ "$rc" -eq 75 ] && still_wanted || return "$rc"
  local lives=${SLURM_RESTART_COUNT:-0} most=${restarts:-20}
  if [ "$lives" -lt "$most" ]; then
    # Ends this script; the wait keeps it from running on until it does.
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
  else
    say "it was started again $lives time$([ "$lives" = 1 ] || echo s), as often as max_restarts in" \
      "$dir/site.toml allows; its work is saved, evd status $(printf %q "$dir") says what to type to go on"
  fi
  return "$rc"
}
