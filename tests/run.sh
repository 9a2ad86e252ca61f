#!/usr/bin/env bash
# Runs every test that this machine can run: installs what is missing, builds, runs the tiers. Tiers that mostly wait for a
# cluster run beside tiers that mostly compute. A tier that fails does not stop the next. A table at the end says what each
# tier took and which of its cases took longest. The last line is `N passed, N failed, N skipped`.
#
#   tests/run.sh [TIER...]     default: all of these, but `long`
#     check       format, layers, sizes, names, clang-tidy …; builds with clang without a warning
#     unit golden simulation net      with ASan and UBSan
#     fuzz        every target for FUZZ_SECONDS (5), after its corpus
#     valgrind    unit and golden, without sanitizers
#     differential our objects beside those of real spark-submit and of kubeflow's operator; random and hostile ones
#     image       the container image, built twice             (needs root)
#     chart       the Helm chart: lint, unit tests, all that it renders before a real API server (needs root; builds Helm)
#     api         the operator against a real API server      (needs root; builds Kubernetes the first time)
#     clients     Argo CD's, Flux's and Airflow's code, unmodified, and what it makes of our applications (needs root)
#     e2e         real Spark in a real Kubernetes, by Helm     (needs root)
#     corpus      applications as kubeflow's operator ran them, on a real Kubernetes (needs root)
#     bench       a small load, to see that the benchmark works (needs root)
#     long        the same tests in depth: longer, more rotations, more seeds, more combinations (tests/tier/long; needs root)
#
# Debian 12. On other systems the packages of tests/cluster/lib.sh have to be there.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/cluster/lib.sh
source "$top/tests/cluster/lib.sh"

# The lanes `compute` and `cluster` run side by side, each its tiers one after the other. The tiers of the lane `alone` run
# when both have ended: net measures how fast replies come under attack, bench measures anyway.
all_tiers=(unit golden simulation fuzz check valgrind differential image chart api clients e2e corpus net bench)
declare -A lane_of=([api]=cluster [clients]=cluster [e2e]=cluster [corpus]=cluster [net]=alone [bench]=alone [long]=alone)
quiet_tiers=' unit golden simulation net valgrind differential chart ' # of their hundreds of checks only the bad ones are shown

results=$(mktemp -d) # a file for each tier: the lines that it printed
state=$results/.state
cluster=$top/tests/cluster/cluster
declare -A queue tier_of pid # of each lane: the tiers to come, the one that runs, its process
declare -A shown began       # of each tier: how many of its lines were shown, when it began
quiet_since=$SECONDS

# ---- build ------------------------------------------------------------------------------------------------------

# build PRESET [TARGET...]: once, whichever tier needs it first, while others that need it wait; fails again if it failed
build() {
  local mark=$state/built.${*// /-} lock
  exec {lock}>"$state/lock.$1"
  flock "$lock"
  if [[ ! -f $mark ]]; then
    if with_progress "building (preset $*)" "$top/build/$1.log" compile "$@"; then echo ok >"$mark"; else echo failed >"$mark"; fi
  fi
  exec {lock}>&-
  [[ $(cat "$mark") == ok ]]
}

compile() {
  local preset=$1
  shift
  cd "$top"
  cmake --preset "$preset"
  cmake --build --preset "$preset" ${1:+--target "$@"} -- -k 0
}

programs=(spark-operator kubeload play render_cost scrape_cost) # all that the cluster tiers run of the release build

fuzz_targets() { find "$top/tests/fuzz" -name 'fuzz_*.c' -printf '%f\n' | sed 's/\.c$//' | sort; }

# ---- can it run here? prints why not ----------------------------------------------------------------------------

needs_cluster() {
  ((EUID == 0)) || {
    echo "needs root, to start a cluster"
    return
  }
  ip netns add spark-probe 2>/dev/null && ip netns del spark-probe || echo "cannot make network namespaces here"
}

obstacle() { # obstacle TIER
  case $1 in
  chart | image | api | clients | e2e | corpus | bench | long) needs_cluster ;;
  esac
}

# ---- tiers ------------------------------------------------------------------------------------------------------

prepare() { # prepare TIER: what has to be built or started before
  local targets
  case $1 in
  check) build clang || true ;; # the rules are checked all the same
  unit | golden | simulation | net) build dev ;;
  fuzz) mapfile -t targets < <(fuzz_targets) && build dev && build fuzz "${targets[@]}" ;;
  valgrind) build release ;;
  differential) build release "${programs[@]}" && "$top/tests/differential/spark" home "$spark_version" >/dev/null ;;
  image) build release "${programs[@]}" ;;
  long)
    mapfile -t targets < <(fuzz_targets) && build fuzz "${targets[@]}" && build release && own_cluster api && own_cluster bench &&
      "$top/tests/cluster/build" control-plane && "$top/tests/differential/spark" home "$spark_version" >/dev/null
    ;;
  api | bench | clients) build release "${programs[@]}" && own_cluster "$1" && "$top/tests/cluster/build" control-plane ;;
  chart)
    build release "${programs[@]}" && own_cluster chart && "$top/tests/cluster/build" control-plane helm unittest
    ;;
  e2e | corpus)
    build release "${programs[@]}" && "$top/tests/cluster/build" node helm &&
      "$top/tests/cluster/spark-image" && shared_cluster
    ;;
  esac
}

own_cluster() { # one that was there before is somebody's: it is used and left alone
  [[ $("$cluster" "$1" status) != down ]] || echo "$1" >>"$state/ours"
}

shared_cluster() { # that of all tiers that run Spark; its API server records what service accounts ask for
  own_cluster e2e
  CLUSTER_AUDIT=1 "$cluster" e2e up >/dev/null
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
  e2e) CLUSTER=e2e suites e2e run webhook docs chart tenants ;;
  corpus) CLUSTER=e2e "$top/tests/corpus/run" ;;
  clients) suites clients run gitops/run ;;
  chart | image | differential) "$top/tests/$1/run" ;;
  bench) "$top/tests/bench/smoke" ;;
  long) "$top/tests/tier/long" ;;
  esac
}

run_tier() { # run_tier TIER: in a process of its own; its lines go to $results/TIER, its times to $state/TIER.times
  local name=$1 out=$results/$1 begin=$SECONDS ready why status=0
  set +m # all that it starts is in its process group, to be ended with it
  [[ ${lane_of[$name]:-compute} != compute ]] || renice -n 10 -p "$BASHPID" >/dev/null # those who wait go first
  why=$(obstacle "$name")
  if [[ -n $why ]]; then
    echo "skip $name - $why" >"$out"
  elif ! prepare "$name"; then
    echo "not ok $name - cannot be built" >"$out"
  else
    ready=$SECONDS
    tier "$name" >"$out" 2>&1 &
    wait $! || status=$?
    no_result "$out" "$status"
  fi
  ready=${ready:-$SECONDS}
  echo "$((ready - begin)) $((SECONDS - ready))" >"$state/$name.times"
}

no_result() { # a tier that ended without saying how
  if (($2 != 0)) && ! grep -q '^not ok ' "$1"; then
    tail -n 15 "$1" | sed '/^\(ok\|skip\) /d; s/^/    /' >&2
    echo "not ok ${1##*/} - ended with status $2" >>"$1"
  elif ! grep -qE '^(ok|not ok|skip) ' "$1"; then
    echo "not ok ${1##*/} - printed no result" >>"$1"
  fi
}

# ---- lanes ------------------------------------------------------------------------------------------------------

run_lanes() { # run_lanes LANE...: side by side, until all their tiers have ended
  local lane busy=1
  while ((busy)); do
    sleep 0.3
    busy=0
    for lane in "$@"; do
      if look_after "$lane"; then busy=1; fi
    done
    still_running "$@"
  done
}

look_after() { # look_after LANE: shows what its tier has printed, starts the next one; fails when there is none
  local lane=$1 tier=${tier_of[$1]:-}
  if [[ -n $tier ]]; then
    show_new "$tier"
    kill -0 "${pid[$lane]}" 2>/dev/null && return
    end_tier "$lane"
  fi
  read -r tier "queue[$lane]" <<<"${queue[$lane]:-}"
  tier_of[$lane]=$tier
  [[ -n $tier ]] || return 1
  begin_tier "$lane"
}

begin_tier() { # begin_tier LANE
  local tier=${tier_of[$1]}
  say "==> $tier"
  shown[$tier]=0 began[$tier]=$SECONDS
  in_background run_tier "$tier"
  pid[$1]=$background_pid
}

end_tier() { # end_tier LANE
  local tier=${tier_of[$1]} out
  out=$results/$tier
  wait "${pid[$1]}" || true
  unset "pid[$1]"
  [[ -f $state/$tier.times ]] || echo "not ok $tier - was ended" >>"$out"
  show_new "$tier"
  say "<== $tier: $(count ok "$out") passed, $(count 'not ok' "$out") failed, $(count skip "$out") skipped" \
    "($((SECONDS - began[$tier])) s)"
}

show_new() { # show_new TIER: the lines that came since the last call
  local lines pattern='^(ok|not ok|skip|#) ' out=$results/$1
  [[ -f $out ]] || return 0
  [[ $quiet_tiers != *" $1 "* ]] || pattern='^(not ok|skip|#) '
  mapfile -s "${shown[$1]}" -t lines <"$out"
  ((${#lines[@]})) || return 0
  shown[$1]=$((shown[$1] + ${#lines[@]})) quiet_since=$SECONDS
  printf '%s\n' "${lines[@]}" | grep -E "$pattern" | grep -v '^# took ' | cut -c1-400 | sed "s/^/    $1: /" >&2 || true
}

still_running() { # still_running LANE...: says so every 15 seconds in which nobody has printed anything
  local lane names=''
  ((SECONDS - quiet_since >= 15)) || return 0
  for lane in "$@"; do
    if [[ -n ${tier_of[$lane]} ]]; then names+=" ${tier_of[$lane]}"; fi
  done
  say "    $SECONDS s …$names"
  quiet_since=$SECONDS
}

# ---- the end ----------------------------------------------------------------------------------------------------

count() { grep -c "^$1 " "$2" || true; }

clean_up() {
  local lane c
  for lane in "${!pid[@]}"; do kill -- "-${pid[$lane]}" 2>/dev/null || true; done
  for lane in "${!pid[@]}"; do wait "${pid[$lane]}" 2>/dev/null || true; done
  if [[ -f $state/ours ]]; then
    sort -u "$state/ours" | while read -r c; do "$cluster" "$c" down >&2 || true; done
  fi
  rm -rf "$results"
}

slowest() { # slowest FILE: its three cases that took longest
  sed -n 's/^# took \([0-9.]*\) \(.*\)/\1\t\2/p' "$1" | sort -rn | head -n 3 |
    awk -F'\t' '{printf "%s%s %.0f s", (NR > 1 ? ", " : ""), $2, $1}'
}

table() { # table TIER...
  local t prepared took
  say ""
  say "$(printf '%-12s %12s %8s  %s' tier 'prepared in' took 'the slowest cases')"
  for t in "$@"; do
    read -r prepared took 2>/dev/null <"$state/$t.times" || continue
    say "$(printf '%-12s %10s s %6s s  %s' "$t" "$prepared" "$took" "$(slowest "$results/$t")")"
  done
  say "$(printf '%-12s %12s %6s s' all '' "$SECONDS")"
}

finish() {
  local passed failed skipped t
  for t in "$@"; do
    grep -E '^(not ok|skip) ' "$results/$t" | cut -c1-300 | sed "s/^/$t: /" >&2 || true
  done
  table "$@"
  cat "$results"/* >"$state/all"
  passed=$(count ok "$state/all") failed=$(count 'not ok' "$state/all") skipped=$(count skip "$state/all")
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
    [[ " ${all_tiers[*]} long " == *" $t "* ]] || die "no such tier: $t (there are: ${all_tiers[*]} long)"
  done
  mkdir "$state"
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  install_packages "${build_packages[@]}" "${check_packages[@]}" iproute2
  for t in "${tiers[@]}"; do queue[${lane_of[$t]:-compute}]+="$t "; done
  run_lanes cluster compute
  run_lanes alone
  finish "${tiers[@]}"
}

main "$@"
