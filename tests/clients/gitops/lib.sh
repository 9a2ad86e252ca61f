# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of those who source this
# What both tests of GitOps tools share: a real API server, the manifests of docs/gitops.md, and a stand-in for the kubelet, which
# runs the operator's own binary for each of its Deployments. Sourced after tests/cluster/lib.sh and operator.sh, tests/lib/tap.sh.

operators=spark-operator jobs=spark-jobs
first_port=8200 # from here on the operator listens; another test may run at the same time
doc=$top/docs/gitops.md

# from_doc NAME: the block of the page that begins with `# NAME`, as a file; prints its path
from_doc() {
  awk -v name="# $1" '/^```/ {inside = 0} inside {print} $0 == name && fence {inside = 1} {fence = /^```yaml$/}' "$doc" >"$work/$1"
  [[ -s $work/$1 ]] || die "$doc has no block that begins with # $1"
  echo "$work/$1"
}

# ---- the cluster --------------------------------------------------------------------------------------------------

set_up() {
  touch "$work/cluster"
  "$cluster" "$name" down
  CLUSTER_APISERVER_FLAGS=--enable-aggregator-routing=true "$cluster" "$name" up --control-plane >/dev/null
  eval "$("$cluster" "$name" env)"
  export KUBECONFIG HELM=$bin/helm
  host=$(own_address)
  collect_garbage
}

own_address() { # the address at which the API server's network namespace sees this machine
  local server
  server=$(kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
  server=${server#https://}
  ip -o route get "${server%:*}" | sed 's/.* src \([^ ]*\).*/\1/'
}

# Pruning and the removal of namespaces are the work of these controllers of Kubernetes.
collect_garbage() {
  setsid "$bin/kube" kube-controller-manager --kubeconfig="$KUBECONFIG" --authentication-kubeconfig="$KUBECONFIG" \
    --authorization-kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 --kube-api-qps=500 --kube-api-burst=1000 \
    --controllers=garbage-collector-controller,namespace-controller,persistentvolumeclaim-protection-controller \
    >"$work/collector.log" 2>&1 </dev/null 9>&- &
  echo $! >"$work/collector.pid"
}

clean_up() {
  local pid dir
  for pid in "$work"/*.pid; do
    [[ ! -f $pid ]] || kill "$(cat "$pid")" 2>/dev/null || true
  done
  for dir in "$work"/pods/*; do
    [[ ! -d $dir ]] || operator_signal "$dir" KILL 5 || true
  done
  [[ ! -e $work/cluster ]] || "$cluster" "$name" down >/dev/null 2>&1 || true
  if [[ -n ${KEEP:-} ]]; then cp -r "$work/." "$KEEP"; fi
  rm -rf "$work"
}

# empty: as if nothing had been installed, but for the CRDs
empty() {
  local ours=clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations
  kubelet_stop
  kubectl delete "$ours" -l app.kubernetes.io/name=spark-operator >/dev/null
  kubectl get crd sparkapplications.sparkoperator.k8s.io >/dev/null 2>&1 && kubectl delete sparkapp -A --all --timeout=60s >/dev/null
  kubectl -n "$jobs" delete pods --all --force --grace-period=0 >/dev/null 2>&1 || true # one names its node, which does not exist
  kubectl delete namespace "$operators" "$jobs" --ignore-not-found --timeout=60s >/dev/null
}

delete_crds() {
  kubectl delete crd {sparkapplications,scheduledsparkapplications,sparkconnects}.sparkoperator.k8s.io --ignore-not-found \
    --timeout=60s >/dev/null
}

# ---- the kubelet --------------------------------------------------------------------------------------------------

kubelet_start() {
  mkdir -p "$work/pods"
  kubelet >"$work/kubelet.log" 2>&1 </dev/null 9>&- &
  echo $! >"$work/kubelet.pid"
}

kubelet_stop() {
  local dir pid
  if pid=$(cat "$work/kubelet.pid" 2>/dev/null); then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -f "$work/kubelet.pid"
  for dir in "$work"/pods/*; do
    [[ ! -d $dir ]] || operator_stop "$dir"
  done
  rm -rf "$work/pods"
}

# kubelet: for each Deployment of the operator a process, started anew when the template of its pods changes
kubelet() {
  local deployment template generation replicas dir
  set +e # it goes on whatever fails
  while sleep 0.3; do
    kubectl -n "$operators" get deployments -o json --request-timeout=10s >"$work/deployments.new" && [[ -s $work/deployments.new ]] || continue
    mv "$work/deployments.new" "$work/deployments.json"
    for dir in "$work"/pods/*; do
      [[ -d $dir ]] || continue
      jq -e --arg name "${dir##*/}" 'any(.items[]; .metadata.name == $name)' "$work/deployments.json" >/dev/null && continue
      operator_stop "$dir"
      rm -rf "$dir"
    done
    while read -r deployment generation replicas template; do
      dir=$work/pods/$deployment
      [[ $(cat "$dir/generation" 2>/dev/null) != "$generation" ]] || continue
      if [[ $(cat "$dir/template" 2>/dev/null) != "$template" ]]; then
        run_pod "$deployment" "$dir" || continue
        echo "$template" >"$dir/template"
      fi
      put_available "$deployment" "$generation" "$replicas" && echo "$generation" >"$dir/generation"
    done < <(jq -r '.items[] | select(.spec.template.spec.containers[0].image | startswith("registry.example.com/")) |
      "\(.metadata.name) \(.metadata.generation) \(.spec.replicas) \(.spec.template | @base64)"' "$work/deployments.json")
  done
}

run_pod() { # run_pod DEPLOYMENT DIR: with the arguments and the account that its template has
  local deployment=$1 dir=$2 args=() account port hook
  [[ ! -d $dir ]] || operator_stop "$dir"
  mkdir -p "$dir"
  jq --arg name "$deployment" '.items[] | select(.metadata.name == $name).spec.template.spec' "$work/deployments.json" >"$dir/pod.json"
  mapfile -t args < <(jq -r '.containers[0].args[]' "$dir/pod.json" |
    grep -vE '^--(metrics-bind-address|health-probe-bind-address|webhook-port)=')
  account=$(jq -r .serviceAccountName "$dir/pod.json")
  port=$(free_port "$first_port") hook=$(free_port $((first_port + 1200)))
  account_kubeconfig "$account" "$dir/kubeconfig" || return 1
  echo "127.0.0.1:$port" >"$dir/address"
  install -m 755 "$build/spark-operator" "$dir/spark-operator"
  args+=(--kubeconfig "$dir/kubeconfig" --metrics-bind-address 0 --health-probe-bind-address "127.0.0.1:$port")
  [[ "${args[*]}" != *webhook-svc-name* ]] || args+=(--webhook-bind-address "$host" --webhook-port "$hook")
  setsid "$dir/spark-operator" "${args[@]}" >>"$dir/log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/pid"
  [[ "${args[*]}" != *webhook-svc-name* ]] || put_endpoint "$hook" "${args[@]}" || return 1
  operator_wait_ready "$dir"
}

account_kubeconfig() { # account_kubeconfig ACCOUNT FILE
  local token
  token=$(kubectl -n "$operators" create token "$1" --duration=24h) || return 1
  kubectl config view --minify --flatten --raw -o json | jq --arg token "$token" '{
    apiVersion: "v1", kind: "Config", "current-context": "operator",
    clusters: [{name: "operator", cluster: .clusters[0].cluster}], users: [{name: "operator", user: {token: $token}}],
    contexts: [{name: "operator", context: {cluster: "operator", user: "operator"}}]}' >"$2"
}

put_endpoint() { # put_endpoint PORT ARGUMENT...: behind the Service that the arguments name
  local port=$1 service
  shift
  service=$(printf '%s\n' "$@" | sed -n 's/^--webhook-svc-name=//p')
  kubectl apply -f - >/dev/null <<JSON
{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": {
  "name": "$service", "namespace": "$operators", "labels": {"kubernetes.io/service-name": "$service"}},
 "endpoints": [{"addresses": ["$host"], "conditions": {"ready": true}}],
 "ports": [{"name": "webhook", "port": $port, "protocol": "TCP"}]}
JSON
}

put_available() { # put_available DEPLOYMENT GENERATION REPLICAS: as the controller of Deployments writes it
  kubectl -n "$operators" patch deployment "$1" --subresource=status --type=merge -p "{\"status\": {\"observedGeneration\": $2,
    \"replicas\": $3, \"updatedReplicas\": $3, \"readyReplicas\": $3, \"availableReplicas\": $3, \"conditions\": [
      {\"type\": \"Available\", \"status\": \"True\", \"reason\": \"MinimumReplicasAvailable\"},
      {\"type\": \"Progressing\", \"status\": \"True\", \"reason\": \"NewReplicaSetAvailable\"}]}}" >/dev/null
}

# ---- applications -------------------------------------------------------------------------------------------------

# many_applications DIR: all applications of tests and examples that are valid, each in a file; prints how many. Not those that name
# their namespace once more, or whose pods nobody could delete.
many_applications() {
  local file files=()
  for file in "$top"/deploy/examples/*.yaml "$top"/tests/good/*.yaml "$top"/tests/corpus/*.yaml "$top"/tests/differential/cases/*.yaml; do
    "$build/spark-operator" validate -f "$file" >/dev/null 2>&1 && files+=(-f "$file")
  done
  mkdir -p "$1"
  kubectl create --dry-run=client --validate=false -o json "${files[@]}" | jq -sc --arg ns "$jobs" '
    [.[] | select(.kind == "SparkApplication")] | unique_by(.metadata.name)[]
    | select(.spec.sparkConf["spark.kubernetes.namespace"]? == null and (tostring | contains("finalizers") | not)) | {apiVersion, kind, spec,
      metadata: (.metadata | {name, labels, annotations, namespace: $ns} | with_entries(select(.value != null)))}' >"$work/applications"
  split -l 1 -d -a 3 --additional-suffix=.yaml "$work/applications" "$1/"
  for file in "$1"/*.yaml; do mv "$file" "$1/$(jq -r .metadata.name "$file").yaml"; done
  wc -l <"$work/applications"
}

submitted() { # submitted COUNT: the operator has written the status of so many applications, and most have drivers
  local all
  all=$(kubectl -n "$jobs" get sparkapp -o json) || return 1
  jq -e --argjson count "$1" '[.items[].status // {}] | ([.[] | select(.observedGeneration // 0 > 0)] | length) == $count and
    ([.[] | select(.applicationState.state // "" != "")] | length) > $count * 0.9' <<<"$all" >/dev/null || {
    jq -r '[.items[] | select(.status.observedGeneration // 0 <= 0).metadata.name] | "without status: \(join(" "))"' <<<"$all"
    return 1
  }
}

is_gone() { ! kubectl -n "$jobs" get "$@"; }

has_ca_bundle() { # every webhook of the two configurations has the same one
  [[ $(kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations -l app.kubernetes.io/name=spark-operator -o json |
    jq '[.items[].webhooks[].clientConfig.caBundle] | length > 3 and all(. != null) and (unique | length) == 1') == true ]]
}
