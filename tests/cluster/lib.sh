# shellcheck shell=bash
# Shared by the scripts here, the quickstart and the test runner: messages, bounded waiting, Debian packages, Go.
# Sourced with `set -euo pipefail`. Everything built once lives in $cache, whoever builds it.
# shellcheck disable=SC2034 # used by those who source this file

cache=${SPARK_OPERATOR_CACHE:-/var/tmp/spark-operator}
bin=$cache/bin

kube_version=1.34.4
oldest_kube_version=1.28.15 # the chart's kubeVersion, README and docs/installation.md name its 1.28 (tests/check/kubernetes)
# CLUSTER_KUBERNETES=VERSION lets clusters run another one, whose binaries are kept apart.
cluster_kube_version=${CLUSTER_KUBERNETES:-$kube_version}
kube_bin=$cache/kubernetes-$cluster_kube_version
[[ $cluster_kube_version != "$kube_version" ]] || kube_bin=$bin
coredns_version=1.12.4
helm_version=3.19.2
helm_unittest_version=1.0.3
spark_version=3.5.6

build_packages=(build-essential cmake ninja-build pkg-config ccache libcurl4-openssl-dev libcjson-dev libyaml-dev libssl-dev
  libuv1-dev libcmocka-dev)
check_packages=(clang libclang-rt-14-dev clang-format clang-tidy pmccabe shellcheck valgrind jq python3 git)
control_plane_packages=(openssl jq curl iproute2 procps util-linux)
node_packages=(containerd runc containernetworking-plugins iptables conntrack gcc libc6-dev binutils python3)
spark_image_packages=(mmdebstrap openjdk-17-jdk-headless python3-pip python3-setuptools python3-wheel)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

now_ms() { date +%s%3N; }

# wait_until SECONDS WHAT COMMAND...: until COMMAND succeeds; otherwise says what was not ready and fails
wait_until() {
  local limit=$1 what=$2
  shift 2
  local end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || {
      say "error: $what not there after $limit s"
      return 1
    }
    sleep 0.2
  done
}

# with_progress LABEL LOG COMMAND...: runs COMMAND with its output in LOG and says every 15 s that it still runs, by
# $progress (default progress_of).
with_progress() {
  local label=$1 log=$2 rc=0
  shift 2
  mkdir -p "$(dirname "$log")"
  say "$label"
  in_background "$@" >"$log" 2>&1
  while_running "${progress:-progress_of}" "$log" || rc=$?
  ((rc == 0)) && return
  say "error: that failed (status $rc). Last lines of $log:"
  tail -n 20 "$log" >&2
  return "$rc"
}

# in_background COMMAND...: starts it, as $background_pid, in a process group of its own, so that ^C can end all of it
in_background() {
  set -m
  "$@" </dev/null &
  background_pid=$!
  set +m
}

# while_running SHOW...: waits for it, calling `SHOW... SECONDS` five times a second; returns its status
while_running() {
  local begin=$SECONDS
  trap 'end_background; exit 130' INT TERM
  while kill -0 "$background_pid" 2>/dev/null; do
    sleep 0.2
    "$@" "$((SECONDS - begin))"
  done
  trap - INT TERM
  wait "$background_pid"
}

end_background() { kill -- "-${background_pid:-none}" 2>/dev/null || true; }

progress_of() { # progress_of LOG SECONDS: every 15 s a line with the log's last, shortened to a terminal's width
  local line
  (($2 >= ${progress_next:=15})) || {
    (($2 > 1)) || progress_next=15
    return 0
  }
  line=$(tail -n 1 "$1" 2>/dev/null | tr -d '\r' | cut -c1-90) || true
  say "  $2 s … $line"
  progress_next=$(($2 + 15))
}

# The same of a log of `go build -v`, which has a line for each module that is downloaded, and for each package that is compiled.
progress_of_go() { # progress_of_go LOG SECONDS
  local modules packages last
  (($2 >= ${progress_next:=15})) || {
    (($2 > 1)) || progress_next=15
    return 0
  }
  progress_next=$(($2 + 15))
  last=$(tail -n 1 "$1" 2>/dev/null | cut -c1-90) || true
  modules=$(grep -c '^go: downloading' "$1") || true
  packages=$(grep -vc '^go: ' "$1") || true
  if ((packages)); then
    say "  $2 s … $packages packages compiled, now $last"
  else
    say "  $2 s … $modules modules downloaded, now ${last#go: downloading }"
  fi
}

# ---- Debian packages --------------------------------------------------------------------------------------------

missing_packages() {
  local p
  for p in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || printf '%s\n' "$p"
  done
}

apt_update() { # another apt may hold the lists' lock, for which apt-get has no option to wait
  local out end=$((SECONDS + 180))
  until out=$(apt-get update -qq 2>&1); do
    [[ $out == *"Could not get lock"* ]] || {
      say "warning: apt-get update: $(tail -n 1 <<<"$out")" # a foreign source may be down: the install decides
      return 0
    }
    ((SECONDS < end)) || die "apt-get update: still locked by another apt after 180 s"
    sleep 2
  done
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=180 install -y -qq --no-install-recommends "$@" </dev/null
}

install_packages() {
  local need
  mapfile -t need < <(missing_packages "$@")
  ((${#need[@]})) || return 0
  command -v apt-get >/dev/null || die "these Debian packages are needed: ${need[*]}"
  ((EUID == 0)) || die "root is needed to install: ${need[*]}"
  with_progress "installing ${need[*]}" "$cache/log/apt.log" install_fresh "${need[@]}"
}

install_fresh() { # the package lists may be absent (a container image) or old: then fetch them and try once more
  apt_install "$@" || {
    apt_update
    apt_install "$@"
  }
}

# ---- Spark ------------------------------------------------------------------------------------------------------

# get_pyspark VERSION DIR: puts the source package, whose jars are all of Spark, into DIR; downloads it if nobody has before
get_pyspark() {
  local kept=$cache/pyspark-$1
  mkdir -p "$2"
  (
    flock -w 1800 6 || die "another download held $kept.lock for half an hour"
    [[ -d $kept ]] || with_progress "downloading pyspark $1 (300 to 450 MB, once)" "$cache/log/pyspark-$1.log" download_pyspark "$1" "$kept"
  ) 6>"$kept.lock"
  ln -f "$kept"/pyspark-*.tar.gz "$2"
}

# Its setup.py runs for the metadata, hence without isolation where setuptools is there.
download_pyspark() {
  rm -rf "$2.part"
  python3 -m pip download --no-deps --no-build-isolation --no-binary :all: -d "$2.part" "pyspark==$1" ||
    python3 -m pip download --no-deps -d "$2.part" "pyspark==$1"
  mv "$2.part" "$2"
}

# ---- Go ---------------------------------------------------------------------------------------------------------

# Kubernetes needs go 1.24. Debian's own is too old; the one in bookworm-backports is 1.23, which fetches the
# toolchain that a go.mod asks for through the module proxy (GOTOOLCHAIN=auto).
find_go() { # prints the directory of a go that can build Kubernetes
  local d
  for d in "$(dirname "$(command -v go || echo /)")" /usr/local/go/bin /usr/lib/go-1.2[4-9]/bin /usr/lib/go-1.23/bin; do
    [[ -x $d/go ]] && go_suffices "$d/go" && {
      printf '%s\n' "$d"
      return
    }
  done
  return 1
}

go_suffices() {
  local v
  v=$(cd / && GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  [[ $v =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 21))
}

use_go() { # puts a go that is new enough on PATH
  local d
  d=$(find_go) || {
    ((EUID == 0)) || die "Go 1.21 or newer is needed"
    with_progress "installing Go from bookworm-backports" "$cache/log/apt-go.log" install_go
    d=$(find_go) || die "no usable Go; see $cache/log/apt-go.log"
  }
  export PATH=$d:$PATH CGO_ENABLED=0
  [[ $(cd / && GOTOOLCHAIN=local go env GOVERSION) =~ ^go1\.2[123] ]] && export GOTOOLCHAIN=auto
  return 0
}

debian_mirror() { apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Component: main' | sed -n 1p; }

install_go() { # from a private source list, so that the system's own stays as it is
  local mirror d=$cache/apt key=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$d/lists/partial"
  mirror=$(debian_mirror)
  [[ -n $mirror ]] || {
    apt_update # the lists may have been removed, as in container images
    mirror=$(debian_mirror)
  }
  [[ -n $mirror ]] || die "no source of Debian 12 in /etc/apt"
  printf "deb [signed-by=$key] $mirror %s main\n" bookworm bookworm-backports >"$d/sources.list"
  local o=(-o "Dir::Etc::sourcelist=$d/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$d/lists")
  apt-get "${o[@]}" update -qq
  DEBIAN_FRONTEND=noninteractive apt-get "${o[@]}" -o DPkg::Lock::Timeout=180 install -y -qq --no-install-recommends \
    -t bookworm-backports golang-1.23-go ca-certificates git
}
