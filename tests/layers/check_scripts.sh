#!/bin/bash
# Every shell script parses and passes shellcheck. usage: check_scripts.sh TOP
set -euo pipefail
cd "$1"
mapfile -t files < <(
  find tools tests slurm .ci -type f ! -name '*.*' -print0 | xargs -0 grep -lE '^#!.*\b(ba)?sh\b' -- || true
  find tools tests slurm -type f \( -name '*.sh' -o -name '*.sbatch' \)
)
[ ${#files[@]} -gt 0 ] || { echo "no scripts found in $1"; exit 1; }
for file in "${files[@]}"; do bash -n "$file"; done
shellcheck --external-sources --severity=style "${files[@]}"
echo "${#files[@]} scripts are sound"
