#!/bin/bash
# Every C++ source is formatted by the pinned clang-format. usage: check_format.sh TOP
set -euo pipefail
cd "$1"
# Another version formats otherwise: a mismatch says so rather than naming half of the files.
clang-format --version | grep -q 'version 14\.' || {
  echo "clang-format is $(clang-format --version), wanted version 14 (tools/setup --tests)"
  exit 1
}
mapfile -t files < <(find lib apps tools tests -name '*.cpp' -o -name '*.hpp' -o -name '*.cu' | sort)
[ ${#files[@]} -gt 0 ] || { echo "no sources found in $1"; exit 1; }
wrong=$(printf '%s\0' "${files[@]}" | xargs -0 -P 2 -n 40 clang-format --dry-run -Werror 2>&1 |
  sed -n 's/^\([^:]*\):.*\[-Wclang-format-violations\]$/\1/p' | sort -u || true)
[ -z "$wrong" ] || { printf 'not formatted (clang-format -i FILE):\n%s\n' "$wrong"; exit 1; }
echo "${#files[@]} files are formatted"
