# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of `cluster`
# Part of `cluster`: the node: containerd, kubelet, kube-proxy, CoreDNS, and taking them down without leaving a trace.

# ---- cgroups: pods live below /spark-NAME, since a kubelet removes pod cgroups that it does not know -------------

cgroup_mounts() { awk '$3 == "cgroup" || ($3 == "cgroup2" && $2 == "/sys/fs/cgroup") {print $2}' /proc/mounts; }

make_cgroups() {
  local m f
  for m in $(cgroup_mounts); do
    mkdir -p "$m/$ns"
    for f in cpuset.cpus cpuset.mems; do # cgroup v1: empty in a new cgroup, which then takes no process
      [[ -f $m/$f && ! -f $m/cgroup.controllers ]] && cat "$m/$f" >"$m/$ns/$f"
    done
    # All pods together would get no more CPU than one process of this machine: as much as four of them.
    [[ ! -f $m/$ns/cpu.shares ]] || echo 4096 >"$m/$ns/cpu.shares"
    [[ ! -f $m/$ns/cpu.weight ]] || echo 400 >"$m/$ns/cpu.weight"
  done
  return 0
}

pod_pids() {
  local m
  for m in $(cgroup_mounts); do
    [[ -d $m/$ns ]] && find "$m/$ns" -name cgroup.procs -exec cat {} + 2>/dev/null
  done | sort -u
}

remove_cgroups() {
  local m
  for m in $(cgroup_mounts); do
    [[ -d $m/$ns ]] && find "$m/$ns" -depth -type d -exec rmdir {} \; 2>/dev/null
  done
  return 0
}

# ---- containerd -------------------------------------------------------------------------------------------------

container_runtime() {
  mkdir -p "$run/containerd" "$state/containerd" "$state/cni"
  cat >"$state/cni/10-bridge.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "$run/cni-ipam"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
  cat >"$state/containerd.toml" <<TOML
version = 2
root = "$state/containerd"
state = "$run/containerd"
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "local/pause:1"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
TOML
  start containerd containerd --config "$state/containerd.toml"
  wait_ready containerd 30 ctr_k8s images ls
  load_image "$cache/pause.tar"
}

ctr_k8s() { ctr -a "$run/containerd.sock" -n k8s.io "$@"; }

load_image() { # load_image ARCHIVE [IMAGE...]: once for each content of the archive; with further names
  local stamp own other
  [[ -f ${1:-} ]] || die "no such image archive: ${1:-}"
  stamp=$(stat -c '%n %s %Y' "$1")
  if ! grep -qxF "$stamp" "$state/images" 2>/dev/null; then
    [[ $1 == "$cache/pause.tar" ]] || say "cluster $name: loading image ${1##*/}"
    ctr_k8s images import "$1" >/dev/null
    echo "$stamp" >>"$state/images"
  fi
  (($# > 1)) || return 0
  own=$(tar -xOf "$1" manifest.json | jq -r '.[0].RepoTags[0]')
  # containerd puts Docker Hub's name before one without a host. All of the list is read, or ctr would end by SIGPIPE.
  own=$(ctr_k8s images ls -q | grep -xE "([^/]*/)?$own" | sed -n 1p) || die "containerd has not imported $own of $1"
  for other in "${@:2}"; do
    [[ ${other%%/*} == *.* ]] || other=${own%%/*}/$other
    ctr_k8s images tag --force "$own" "$other" >/dev/null
  done
}

# ---- kubelet, kube-proxy, DNS -----------------------------------------------------------------------------------

node() {
  kubelet
  kube_proxy
  dns
  wait_ready coredns 30 curl -sS -f --max-time 2 --noproxy '*' "http://$node_ip:8181/ready"
  wait_ready kubelet 60 kc wait --for=condition=Ready node/node1 --timeout=1s
  wait_ready controller-manager 30 kc get serviceaccount default
}

kubelet() {
  make_cgroups
  mkdir -p "$state/kubelet" "$state/pod-logs"
  echo 'nameserver 127.0.0.1' >"$state/resolv.conf"
  cat >"$state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {x509: {clientCAFile: "$state/pki/ca.crt"}, webhook: {enabled: true}, anonymous: {enabled: false}}
authorization: {mode: Webhook}
tlsCertFile: "$state/pki/kubelet.crt"
tlsPrivateKeyFile: "$state/pki/kubelet.key"
containerRuntimeEndpoint: "unix://$run/containerd.sock"
cgroupDriver: cgroupfs
cgroupRoot: "/$ns"
cgroupsPerQOS: true
enforceNodeAllocatable: []
failSwapOn: false
failCgroupV1: false
clusterDNS: ["$dns_ip"]
clusterDomain: cluster.local
maxPods: ${CLUSTER_MAX_PODS:-200}
resolvConf: "$state/resolv.conf"
podLogsDir: "$state/pod-logs"
volumePluginDir: "$state/kubelet/plugins-exec"
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: "1%", nodefs.inodesFree: "1%", imagefs.available: "1%"}
localStorageCapacityIsolation: false
makeIPTablesUtilChains: true
serializeImagePulls: false
registryPullQPS: 0
kubeAPIQPS: 200
kubeAPIBurst: 400
YAML
  start kubelet "$kube_bin/kube" kubelet --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.kubeconfig" \
    --hostname-override=node1 --node-ip="$node_ip" --root-dir="$state/kubelet" --v=2
}

kube_proxy() {
  cat >"$state/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: "$state/admin.kubeconfig"}
mode: iptables
clusterCIDR: $pods
hostnameOverride: node1
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
  start proxy "$kube_bin/kube" kube-proxy --config="$state/proxy.yaml"
}

dns() {
  cat >"$state/Corefile" <<CORE
.:53 {
  bind $node_ip
  errors
  ready $node_ip:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig $state/admin.kubeconfig local
    pods insecure
    ttl 5
  }
  cache 5 {
    disable denial
  }
}
CORE
  start coredns "$bin/coredns" -conf "$state/Corefile"
  kc apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: $dns_ip, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kube-dns, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
endpoints: [{addresses: [$node_ip]}]
YAML
}

# ---- the way down -----------------------------------------------------------------------------------------------

# kubelet first, or it starts pods anew; then the pods, found by their cgroups, whoever still runs; then containerd and
# its shims, which live in our namespace only
stop_node() {
  stop kubelet 0
  kill_all pod_pids
  kill_all shim_pids
  stop containerd 0
  unmount
  remove_cgroups
  find /var/log/containers -lname "$state/*" -delete 2>/dev/null || true
}

shim_pids() {
  local pid
  for pid in $(ip netns pids "$ns" 2>/dev/null); do
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == containerd-shim ]] && echo "$pid"
  done
  return 0
}

kill_all() { # kill_all LIST: what LIST prints, until it prints nothing
  local pids end=$((SECONDS + 10))
  while mapfile -t pids < <("$1") && ((${#pids[@]})); do
    kill -KILL "${pids[@]}" 2>/dev/null || true
    ((SECONDS < end)) || die "cluster $name: cannot kill ${pids[*]}"
    sleep 0.1
  done
}

unmount() {
  local m
  mounts | sort -r | while read -r m; do umount "$m" 2>/dev/null || umount -l "$m" 2>/dev/null || true; done
  [[ -z $(mounts) ]] || die "cluster $name: cannot unmount $(mounts | head -n 1)"
}

mounts() { awk -v d="$state/" 'index($2, d) == 1 {print $2}' /proc/mounts; }
