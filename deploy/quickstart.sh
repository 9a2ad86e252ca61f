#!/usr/bin/env bash
# quickstart.sh: builds the operator, gives it a cluster and lets it run deploy/examples/spark-pi.yaml, showing what
# happens. On a fresh Debian 12, as root, it installs what it needs. Without a cluster in $KUBECONFIG, a real one-node
# Kubernetes is started in a network namespace (tests/cluster), built the first time, and the operator installed with Helm.
# In the cluster of $KUBECONFIG, which cannot pull an image from here, the operator is a process of this machine with the
# permissions of deploy/rbac.yaml, and the example runs in the namespace default. The first run takes long, since it compiles Kubernetes and Helm, and says at which of its
# steps it is; a second run takes seconds. The operator comes first: what it does without a cluster works after a minute.
#
#   deploy/quickstart.sh          run it
#   deploy/quickstart.sh --down   remove everything it made, but for installed packages and the cache of built things
#
# SPARK_IMAGE      image of the example in your own cluster (default apache/spark:3.5.6)
# SPARK_JAR        jar of the example in that image
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/cluster/lib.sh
source "$top/tests/cluster/lib.sh"
# shellcheck source=tests/cluster/operator.sh
source "$top/tests/cluster/operator.sh"

dir=$cache/quickstart
app=spark-pi
jobs=spark-jobs # the namespace of the example; in the user's cluster it is default
limit=300 # seconds for the application
cluster=$top/tests/cluster/cluster
label=sparkoperator.k8s.io/app-name=$app

steps=6 # with a cluster of our own; with the user's there are 3
number=0

# step TEXT: the next one begins
step() {
  number=$((number + 1))
  say ""
  say "==> step $number of $steps, after $((SECONDS / 60)):$(printf %02d $((SECONDS % 60))): $*"
}
show() { say "==> $*"; }

# ---- build ------------------------------------------------------------------------------------------------------

# With the packages of all steps, since one download of many is faster than many, and the lock of apt then is free.
build_operator() {
  local packages=("${build_packages[@]}" jq curl)
  ((steps == 3)) || packages+=("${control_plane_packages[@]}" "${node_packages[@]}" "${spark_image_packages[@]}")
  step "the operator"
  install_packages "${packages[@]}"
  with_progress "building the operator" "$cache/log/operator.log" compile_operator
  show_offline
}

# What needs no cluster works from here on.
show_offline() {
  local binary=build/release/spark-operator example=deploy/examples/$app.yaml
  say "The operator is there. These need no cluster, in another terminal too:"
  say "  $binary validate -f $example"
  say "  $binary render -f $example"
  (cd "$top" && "$binary" validate -f "$example") >&2
}

compile_operator() {
  cd "$top"
  cmake --preset release
  cmake --build --preset release --target spark-operator
}

# ---- cluster ----------------------------------------------------------------------------------------------------

wants_own_cluster() { [[ -z ${KUBECONFIG:-} || $KUBECONFIG == "$("$cluster" quickstart kubeconfig)" ]]; }

choose_cluster() {
  if ! wants_own_cluster; then
    find_kubectl
    if kubectl get --raw=/readyz --request-timeout=5s >/dev/null 2>&1; then
      show "using the cluster of $KUBECONFIG"
      echo "$KUBECONFIG" >"$dir/cluster"
      jobs=default
      return
    fi
    say "the cluster of KUBECONFIG=$KUBECONFIG does not answer"
    steps=6
  fi
  start_cluster
}

find_kubectl() {
  export PATH=$PATH:$bin
  command -v kubectl >/dev/null || "$top/tests/cluster/build" control-plane
}

start_cluster() {
  local env
  ((EUID == 0)) || die "without a cluster in \$KUBECONFIG, this needs root, to start one"
  step "Kubernetes, CoreDNS and Helm; the Spark image is downloaded and made meanwhile"
  begin_spark_image
  "$top/tests/cluster/build" node helm
  step "the Spark image"
  end_spark_image
  step "a Kubernetes of one node in a network namespace (state $cache/clusters/quickstart)"
  env=$("$cluster" quickstart up)
  eval "$env"
  "$cluster" quickstart image "$cache/spark-$spark_version.tar" "apache/spark:$spark_version"
  rm -f "$dir/cluster"
}

# It is mostly downloads, while building Kubernetes is mostly compiling.
begin_spark_image() {
  mkdir -p "$cache/log"
  "$top/tests/cluster/spark-image" "$spark_version" </dev/null >"$cache/log/spark-image.log" 2>&1 &
  spark_image=$!
  trap 'kill "$spark_image" 2>/dev/null || true' EXIT
}

end_spark_image() {
  local rc=0
  wait "$spark_image" || rc=$?
  trap - EXIT
  cat "$cache/log/spark-image.log" >&2
  return "$rc"
}

# What was in the user's cluster before stays there at --down: a CRD may carry other applications.
install_once() {
  local file rbac=$top/deploy/rbac.yaml
  for file in "$crd" "$rbac"; do
    [[ -n $(kubectl get -f "$file" --ignore-not-found -o name 2>/dev/null) ]] || echo "$file" >>"$dir/made"
  done
  if [[ -f $dir/cluster ]] && ! grep -qxF "$crd" "$dir/made" 2>/dev/null; then
    say "the cluster has a CRD of SparkApplications already; it stays as it is"
    kubectl apply --server-side --force-conflicts -f "$rbac" >/dev/null
  else
    install_objects
  fi
}

# ---- operator ---------------------------------------------------------------------------------------------------

deploy_operator() {
  step "the operator in the cluster"
  if [[ -f $dir/cluster ]]; then
    install_once
    run_operator
  else
    install_chart
  fi
}

# As the README says. The annotation makes new pods when the image is another one of the same name.
install_chart() {
  local archive image flags
  kubectl get namespace "$jobs" >/dev/null 2>&1 || kubectl create namespace "$jobs" >/dev/null
  archive=$("$top/tests/cluster/operator-image")
  "$cluster" quickstart image "$archive"
  image=$(tar -xOf "$archive" manifest.json | jq -r '.[0].RepoTags[0]')
  flags=(-n spark-operator --create-namespace --set "image.repository=${image%:*}" --set "image.tag=${image##*:}"
    --set "sparkJobNamespace=$jobs" --set webhook.enable=true)
  show "helm install spark charts/spark-operator ${flags[*]}"
  "$bin/helm" upgrade --install spark "$top/charts/spark-operator" "${flags[@]}" --wait --timeout 120s \
    --set-string "podAnnotations.image=$(sha256sum <"$archive" | cut -c1-12)" >"$dir/helm" 2>&1 || {
    cat "$dir/helm" >&2
    return 1
  }
  kubectl -n spark-operator get pods
}

operator_log() {
  if [[ -f $dir/cluster ]]; then cat "$dir/log"; else kubectl -n spark-operator logs deployment/spark-spark-operator --tail=100; fi
}

run_operator() {
  local binary=$top/build/release/spark-operator
  if operator_pid "$dir" >/dev/null && cmp -s "$binary" "$dir/spark-operator" && same_server && token_is_fresh; then
    show "the operator runs already (pid $(cat "$dir/pid"))"
    operator_wait_ready "$dir"
    return
  fi
  operator_stop "$dir"
  : >"$dir/log"
  operator_start "$dir" "$binary"
  show "the operator runs (pid $(cat "$dir/pid"), log $dir/log, metrics http://$(cat "$dir/address")/metrics)"
}

server_of() { kubectl --kubeconfig "$1" config view --minify --raw -o json | jq -r '.clusters[0].cluster | .server, .["certificate-authority-data"]'; }
same_server() { [[ $(server_of "$dir/kubeconfig") == "$(kubectl config view --minify --flatten --raw -o json |
  jq -r '.clusters[0].cluster | .server, .["certificate-authority-data"]')" ]]; }
token_is_fresh() { [[ -n $(find "$dir/kubeconfig" -mmin -720) ]]; }

# ---- example ----------------------------------------------------------------------------------------------------

example() { # in a cluster that is not ours: with the account of deploy/rbac.yaml, and an image that it can pull
  local image=${SPARK_IMAGE:-apache/spark:3.5.6} jar=${SPARK_JAR:-/opt/spark/examples/jars/spark-examples.jar}
  if [[ -f $dir/cluster ]]; then
    sed "s|image: .*|image: $image|; s|local:///.*|local://$jar|; s/namespace: .*/namespace: $jobs/; s/serviceAccount: .*/serviceAccount: spark/" \
      "$top/deploy/examples/$app.yaml"
  else
    cat "$top/deploy/examples/$app.yaml"
  fi
}

submit() {
  step "an application"
  kubectl -n "$jobs" delete sparkapp "$app" --ignore-not-found --timeout=60s >/dev/null
  wait_until 60 "the end of the last run's pods" no_pods
  show "kubectl apply -f deploy/examples/$app.yaml"
  example | kubectl apply -f - >/dev/null
}

no_pods() { [[ -z $(kubectl -n "$jobs" get pods -l "$label" -o name) ]]; }

# one line: state, pods and their phases, error message
situation() {
  {
    kubectl -n "$jobs" get sparkapp "$app" -o json
    kubectl -n "$jobs" get pods -l "$label" -o json
  } | jq -rs '
    def name: if .metadata.labels["spark-role"] == "executor" then "executor \(.metadata.labels["spark-exec-id"])" else "driver" end;
    def phase: if .metadata.deletionTimestamp then "Terminating"
      else [.status.containerStatuses[]?.state.waiting.reason // empty][0] // .status.phase end;
    (.[0].status.applicationState.state // "new" | if . == "" then "new" else . end) as $state
    | ([.[1].items[] | {role: name, phase: phase}] | sort_by(.role) | map("\(.role) \(.phase)") | join(", ")) as $pods
    | [$state, $pods, (.[0].status.applicationState.errorMessage // "" | gsub("\n"; " "))] | join("\u001f")'
}

watch_application() { # prints a line whenever something has changed; succeeds when the application has
  local begin now last='' line state pods message
  begin=$(now_ms)
  printf '%9s  %-18s %s\n' time application pods
  while true; do
    line=$(situation 2>/dev/null) || line=$last
    now=$(($(now_ms) - begin))
    IFS=$'\037' read -r state pods message <<<"$line"
    if [[ $line != "$last" ]]; then
      printf '%7d.%d s  %-18s %s\n' $((now / 1000)) $((now % 1000 / 100)) "$state" "$pods${message:+  ($message)}"
      last=$line
    fi
    case $state in
    COMPLETED) return 0 ;;
    FAILED) return 1 ;;
    esac
    ((now < limit * 1000)) || {
      say "error: not finished after $limit s"
      return 1
    }
    sleep 0.4
  done
}

explain_failure() {
  say ""
  say "The application did not complete. Why, as far as can be seen:"
  kubectl -n "$jobs" get sparkapp "$app" -o json 2>/dev/null |
    jq -r '"status: \(.status.applicationState.state // "none") \(.status.applicationState.errorMessage // "")"' >&2 || true
  say "--- events"
  kubectl -n "$jobs" get events --sort-by=.lastTimestamp 2>/dev/null | grep -F "$app" | tail -n 12 >&2 || true
  say "--- driver (last lines)"
  kubectl -n "$jobs" logs "$app-driver" --tail=15 >&2 2>&1 || true
  say "--- operator (last lines of its log)"
  operator_log | tail -n 15 >&2 || true
}

show_result() {
  local driver
  driver=$(kubectl -n "$jobs" get sparkapp "$app" -o jsonpath='{.status.driverInfo.podName}')
  show "kubectl -n $jobs logs $driver"
  kubectl -n "$jobs" logs "$driver" | grep 'Pi is roughly'
  show "kubectl -n $jobs get sparkapp"
  kubectl -n "$jobs" get sparkapp
}

show_next() {
  local log="kubectl -n spark-operator logs -l app.kubernetes.io/name=spark-operator" metrics pod port example=''
  if [[ -f $dir/cluster ]]; then
    log="less $dir/log" metrics="curl http://$(cat "$dir/address")/metrics"
  else
    example="kubectl apply -f $top/deploy/examples/spark-pi-python.yaml"
    pod=$(kubectl -n spark-operator get pods -l app.kubernetes.io/name=spark-operator -o 'jsonpath={.items[0].metadata.name}')
    port=$(kubectl -n spark-operator get pod "$pod" -o 'jsonpath={.spec.containers[0].ports[?(@.name=="metrics")].containerPort}')
    metrics="kubectl get --raw /api/v1/namespaces/spark-operator/pods/$pod:$port/proxy/metrics"
  fi
  cat <<TEXT

Look around:
  export KUBECONFIG=$KUBECONFIG PATH=\$PATH:$bin
  kubectl -n $jobs describe sparkapp $app${example:+
  $example}
  $log
  $metrics
Remove everything:
  deploy/quickstart.sh --down
TEXT
}

# ---- commands ---------------------------------------------------------------------------------------------------

run() {
  mkdir -p "$dir"
  wants_own_cluster || steps=3
  build_operator
  choose_cluster
  deploy_operator
  submit
  if ! watch_application; then
    explain_failure
    return 1
  fi
  show_result
  say "done in $((SECONDS / 60)):$(printf %02d $((SECONDS % 60)))"
  show_next
}

down() {
  if [[ -f $dir/cluster ]]; then
    clean_user_cluster
  fi
  operator_stop "$dir"
  "$cluster" quickstart down
  rm -rf "$dir"
  say "removed"
}

clean_user_cluster() {
  local file
  KUBECONFIG=$(cat "$dir/cluster")
  export KUBECONFIG
  find_kubectl
  kubectl -n default delete --ignore-not-found --timeout=60s sparkapp "$app"
  operator_stop "$dir"
  [[ -f $dir/made ]] || return 0
  while read -r file; do
    if [[ $file == "$crd" && -n $(kubectl get sparkapp -A -o name) ]]; then
      say "other applications exist; left as it is: $file"
    else
      kubectl delete --ignore-not-found --timeout=120s -f "$file"
    fi
  done < <(sort -u "$dir/made")
}

case ${1:-} in
'') run ;;
--down) down ;;
*)
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  [[ $1 == --help || $1 == -h ]] || exit 2
  ;;
esac
