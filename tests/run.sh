#!/usr/bin/env bash
# Runs every test that this machine can run: installs what is missing, builds, runs the tiers, fast ones first. A tier
# that fails does not stop the next. The last line is `N passed, N failed, N skipped`.
#
#   tests/run.sh [TIER...]     default: all of
#     check       format, layers, sizes, names, clang-tidy …; builds with clang without a warning
#     unit golden simulation net      with ASan and UBSan
#     fuzz        every target for FUZZ_SECONDS (10), after its corpus
#     valgrind    unit and golden, without sanitizers
#     differential our objects beside those of real spark-submit and of kubeflow's operator; random and hostile ones
#     chart       the Helm chart: lint, unit tests, all that it renders before a real API server (needs root; builds Helm)
#     image       the container image, built twice             (needs root)
#     api         the operator against a real API server      (needs root; builds Kubernetes the first time)
#     e2e         real Spark in a real Kubernetes, by Helm     (needs root)
#     corpus      applications as kubeflow's operator ran them, on a real Kubernetes (needs root)
#     bench       a small load, to see that the benchmark works (needs root)
#
# Debian 12. On other systems the packages of tests/cluster/lib.sh have to be there.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/cluster/lib.sh
source "$top/tests/cluster/lib.sh"

all_tiers=(check unit golden simulation net fuzz valgrind differential chart image api e2e corpus bench)
results=$(mktemp -d)
cluster=$top/tests/cluster/cluster
declare -A built # preset → ok, failed
declare -A ours  # cluster → 1, if this run may take it down

# ---- build ------------------------------------------------------------------------------------------------------

build() { # build PRESET: once; fails again if it failed
  if [[ -z ${built[$1]:-} ]]; then
    built[$1]=ok
    with_progress "building (preset $1)" "$top/build/$1.log" compile "$1" || built[$1]=failed
  fi
  [[ ${built[$1]} == ok ]]
}

compile() {
  cd "$top"
  cmake --preset "$1"
  cmake --build --preset "$1" -- -k 0
}

# ---- can it run here? prints why not ----------------------------------------------------------------------------

needs_cluster() {
  ((EUID == 0)) || {
    echo "needs root, to start a cluster"
    return
  }
  ip netns add spark-probe 2>/dev/null && ip netns del spark-probe || echo "cannot make network namespaces here"
}

needs_file() { [[ -x $1 ]] || echo "${1#"$top"/} is not there"; }

obstacle() { # obstacle TIER
  case $1 in
  api) needs_cluster && needs_file "$top/tests/api/run" ;;
  chart | image | e2e | corpus) needs_cluster ;;
  bench) needs_cluster && needs_file "$top/tests/bench/smoke" ;;
  esac
}

# ---- tiers ------------------------------------------------------------------------------------------------------

prepare() { # prepare TIER: what has to be built or started before; its time is not the tier's
  case $1 in
  check) build clang || true ;; # the rules are checked all the same
  unit | golden | simulation | net) build dev ;;
  fuzz) build dev && build fuzz ;;
  valgrind) build release ;;
  differential) build release && "$top/tests/differential/spark" home "$spark_version" >/dev/null ;;
  api | bench) build release && own_cluster "$1" && "$top/tests/cluster/build" control-plane ;;
  chart) build release && own_cluster "$1" && "$top/tests/cluster/build" control-plane && "$top/tests/cluster/build" helm ;;
  image) build release ;;
  e2e | corpus)
    build release && own_cluster "$1" && "$top/tests/cluster/build" node && "$top/tests/cluster/build" helm &&
      "$top/tests/cluster/spark-image"
    ;;
  esac
}

own_cluster() { # one that ran before is somebody's: it is used and left alone
  [[ $("$cluster" "$1" status) != down ]] || ours[$1]=1
}

suites() { # suites TIER SCRIPT...: one after the other
  local tier=$1 script status=0
  shift
  for script in "$@"; do "$top/tests/$tier/$script" || status=1; done
  return "$status"
}

tier() { # tier TIER: prints its checks
  case $1 in
  unit | golden | simulation | net) "$top/tests/tier/ctest" "$1" "$top/build/dev" ;;
  check)
    if build clang; then echo "ok builds with clang"; else echo "not ok builds with clang - see $top/build/clang.log"; fi
    "$top/tests/check/run" "$top/build/clang"
    ;;
  fuzz)
    "$top/tests/tier/ctest" fuzz "$top/build/dev"
    "$top/tests/tier/fuzz" "$top/build/fuzz"
    ;;
  valgrind) "$top/tests/tier/valgrind" "$top/build/release" ;;
  api) suites api run webhook crds metrics ;;
  e2e) suites e2e run webhook chart ;;
  chart | image | corpus | differential) "$top/tests/$1/run" ;;
  bench) "$top/tests/bench/smoke" ;;
  esac
}

run_tier() {
  local name=$1 out=$results/$1 begin=$SECONDS why status=0
  say "==> $name"
  why=$(obstacle "$name")
  if [[ -n $why ]]; then
    echo "skip $name - $why" >"$out"
  elif ! prepare "$name"; then
    echo "not ok $name - cannot be built" >"$out"
  else
    shown=0 quiet_since=$SECONDS
    begin=$SECONDS
    in_background tier "$name" >"$out" 2>&1
    while_running show_new "$name" || status=$?
    no_result "$out" "$status"
  fi
  shown=${shown:-0}
  show_new "$name" 0
  shown=0
  say "    $(count ok "$out") passed, $(count 'not ok' "$out") failed, $(count skip "$out") skipped ($((SECONDS - begin)) s)"
}

no_result() { # a tier that ended without saying how
  if (($2 != 0)) && ! grep -q '^not ok ' "$1"; then
    tail -n 15 "$1" | sed '/^\(ok\|skip\) /d; s/^/    /' >&2
    echo "not ok ${1##*/} - ended with status $2" >>"$1"
  elif ! grep -qE '^(ok|not ok|skip) ' "$1"; then
    echo "not ok ${1##*/} - printed no result" >>"$1"
  fi
}

# show_new TIER SECONDS: the lines that came since the last call; of the tiers with hundreds of checks only the bad ones
show_new() {
  local lines pattern='^(ok|not ok|skip|#) '
  [[ $1 == unit || $1 == golden || $1 == simulation || $1 == net || $1 == valgrind || $1 == differential || $1 == chart ]] && pattern='^(not ok|skip|#) '
  mapfile -s "$shown" -t lines < <(cat "$results/$1")
  if ((${#lines[@]})); then
    shown=$((shown + ${#lines[@]})) quiet_since=$SECONDS
    printf '%s\n' "${lines[@]}" | grep -E "$pattern" | cut -c1-400 | sed 's/^/    /' >&2 || true
  elif ((SECONDS - ${quiet_since:-SECONDS} >= 15)); then
    say "    $2 s …"
    quiet_since=$SECONDS
  fi
}

count() { grep -c "^$1 " "$2" || true; }

# ---- the whole --------------------------------------------------------------------------------------------------

clean_up() {
  local c
  end_background
  for c in "${!ours[@]}"; do "$cluster" "$c" down >&2 || true; done
  rm -rf "$results"
}

finish() {
  local passed failed skipped t
  for t in "$@"; do
    grep -E '^(not ok|skip) ' "$results/$t" | cut -c1-300 | sed "s/^/$t: /" >&2 || true
  done
  cat "$results"/* >"$results.all"
  passed=$(count ok "$results.all") failed=$(count 'not ok' "$results.all") skipped=$(count skip "$results.all")
  rm -f "$results.all"
  clean_up
  trap - EXIT
  say ""
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}

main() {
  local tiers=("$@") t
  ((${#tiers[@]})) || tiers=("${all_tiers[@]}")
  for t in "${tiers[@]}"; do
    [[ " ${all_tiers[*]} " == *" $t "* ]] || die "no such tier: $t (there are: ${all_tiers[*]})"
  done
  trap clean_up EXIT
  install_packages "${build_packages[@]}" "${check_packages[@]}" iproute2
  for t in "${tiers[@]}"; do run_tier "$t"; done
  finish "${tiers[@]}"
}

main "$@"
