# shellcheck shell=bash
# What the measurements share: programs of others, pinned, and medians. Sourced, not run.

median() {
  sort -n | awk '{v[NR] = $1} END {print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2)}'
}

processor() {
  sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1
}

need_wrk() {
  ! command -v wrk >/dev/null || return 0
  [ "$(id -u)" -eq 0 ] || { echo "bench: needs wrk; run: sudo apt-get install wrk" >&2; exit 78; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null
}

# peers_python DEPS NAME PACKAGE==VERSION...: an environment with just these; prints its python.
peers_python() {
  local target=$1/$2
  shift 2
  if [ "$(cat "$target/holds" 2>/dev/null)" != "$*" ]; then
    echo "bench: installs $* into $target" >&2
    rm -rf "$target"
    python3 -m venv "$target"
    "$target/bin/python" -m pip install -q --only-binary=:all: --disable-pip-version-check "$@" >&2
    echo "$*" >"$target/holds"
  fi
  echo "$target/bin/python"
}

build_targets() {
  local build=$1
  shift
  [ -f "$build/build.ninja" ] ||
    { echo "bench: $build is not configured (cmake --preset release)" >&2; exit 78; }
  ninja -C "$build" "$@" >/dev/null
}

# touch_memory MB DIR: the next MB that are written find memory that was used before. A virtual
# machine's untouched memory is first found by its host, which takes ten times as long as writing.
touch_memory() {
  dd if=/dev/zero of="$2/touched" bs=1M count="$1" 2>/dev/null
  rm "$2/touched"
}
