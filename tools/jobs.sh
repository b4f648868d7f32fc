# shellcheck shell=bash
# Sourced: sets EVD_JOBS, the number of compilers at once. A file with torch headers takes 1.5 GB.
if [ -z "${EVD_JOBS:-}" ]; then
  EVD_JOBS=$(nproc)
  memory_jobs=$(awk '/^MemAvailable:/ {print int($2 / 2000000)}' /proc/meminfo)
  [ "$memory_jobs" -ge "$EVD_JOBS" ] || EVD_JOBS=$((memory_jobs > 1 ? memory_jobs : 1))
fi
export EVD_JOBS
