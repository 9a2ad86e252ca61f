# shellcheck shell=bash
# The operator as a process of this machine, under the permissions of deploy/rbac.yaml. Sourced after lib.sh;
# KUBECONFIG is an administrator's. A directory holds all of one operator: kubeconfig, pid, log, address.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
crd=$top/crds/sparkoperator.k8s.io_sparkapplications.yaml

# install_objects: the CRD and the accounts. Server-side, because a client-side apply would not find room for a copy
# of the CRD in an annotation.
install_objects() {
  kubectl apply --server-side --force-conflicts -f "$crd" -f "$top/deploy/rbac.yaml" >/dev/null
  kubectl wait --for=condition=Established --timeout=30s -f "$crd" >/dev/null
}

# operator_kubeconfig FILE: the cluster of $KUBECONFIG with a token of the operator's account, valid for a day
operator_kubeconfig() {
  local token
  token=$(kubectl -n spark-operator create token spark-operator --duration=24h)
  [[ -n $token ]] || die "no token for the operator's account"
  (
    umask 077
    kubectl config view --minify --flatten --raw -o json | jq --arg token "$token" '{
      apiVersion: "v1", kind: "Config", "current-context": "operator",
      clusters: [{name: "operator", cluster: .clusters[0].cluster}],
      users: [{name: "operator", user: {token: $token}}],
      contexts: [{name: "operator", context: {cluster: "operator", user: "operator"}}]}' >"$1"
  )
}

free_port() { # free_port FIRST: the first port of the loopback that nothing listens on
  local port
  for ((port = $1; port < $1 + 100; port++)); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
      echo "$port"
      return
    }
  done
  die "no free port from $1 on"
}

operator_pid() { # operator_pid DIR: prints the pid if it runs and is the one of DIR, since pids are reused
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "--kubeconfig $1/kubeconfig " || return 1
  [[ $(awk '$1 == "State:" {print $2}' "/proc/$pid/status" 2>/dev/null) != Z ]] || return 1
  printf '%s\n' "$pid"
}

# operator_start DIR BINARY [FLAG...]: starts it and waits until it is ready
operator_start() {
  operator_launch "$@"
  operator_wait_ready "$1"
}

# operator_launch DIR BINARY [FLAG...]: makes the kubeconfig and starts it. The log is appended to. The binary is copied,
# so that a build may replace it meanwhile. OPERATOR_PORT: where to look for a free port, if several are launched at once.
operator_launch() {
  local dir=$1 binary=$2 address
  shift 2
  mkdir -p "$dir"
  operator_kubeconfig "$dir/kubeconfig"
  address=127.0.0.1:$(free_port "${OPERATOR_PORT:-8080}")
  echo "$address" >"$dir/address"
  install -m 755 "$binary" "$dir/spark-operator"
  setsid "$dir/spark-operator" start --kubeconfig "$dir/kubeconfig" --metrics-bind-address "$address" "$@" \
    >>"$dir/log" 2>&1 </dev/null 7>&- 8>&- 9>&- &
  echo $! >"$dir/pid"
}

operator_wait_ready() {
  local end=$((SECONDS + 30)) url
  url=http://$(cat "$1/address")/readyz
  until curl -sS -f --max-time 2 --noproxy '*' "$url" >/dev/null 2>&1; do
    sleep 0.1
    operator_pid "$1" >/dev/null && ((SECONDS < end)) && continue
    say "last lines of $1/log:"
    tail -n 15 "$1/log" >&2
    operator_pid "$1" >/dev/null || say "error: the operator has ended"
    say "error: the operator is not ready ($url)"
    return 1
  done
}

operator_signal() { # operator_signal DIR SIGNAL SECONDS: sends it and waits for the end; fails when it does not come
  local pid end=$((SECONDS + $3))
  pid=$(operator_pid "$1") || return 0
  kill -"$2" "$pid"
  if [[ $2 == KILL ]]; then wait "$pid" 2>/dev/null || true; fi # here, or the shell says later that it was killed
  while operator_pid "$1" >/dev/null; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

operator_stop() {
  operator_signal "$1" TERM 10 || operator_signal "$1" KILL 5 || die "the operator (pid $(cat "$1/pid")) does not end"
  rm -f "$1/pid"
}
