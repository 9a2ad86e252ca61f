# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of `cluster`
# Part of `cluster`: certificates, etcd, kube-apiserver, kube-controller-manager, kube-scheduler.

# ---- certificates -----------------------------------------------------------------------------------------------

key_pair() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$state/pki/$1.key"; }

cert() { # cert NAME SUBJECT [SAN]
  local pki=$state/pki
  key_pair "$1"
  printf 'keyUsage=digitalSignature\nextendedKeyUsage=clientAuth,serverAuth\n%s\n' "${3:+subjectAltName=$3}" >"$pki/$1.ext"
  openssl req -new -key "$pki/$1.key" -subj "$2" -out "$pki/$1.csr"
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 \
    -extfile "$pki/$1.ext" -out "$pki/$1.crt"
}

kubeconfig_of() { # kubeconfig_of NAME: with the client certificate of that name
  local pki=$state/pki
  cat >"$state/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: "$server", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$pki/$1.crt"), client-key-data: $(base64 -w0 "$pki/$1.key")}}]
contexts: [{name: local, context: {cluster: local, user: $1}}]
current-context: local
YAML
}

certificates() {
  local pki=$state/pki names=localhost,kubernetes,kubernetes.default,kubernetes.default.svc
  names+=,kubernetes.default.svc.cluster.local
  mkdir -p "$pki"
  {
    key_pair ca
    openssl req -x509 -new -key "$pki/ca.key" -days 3650 -subj /CN=local-ca -out "$pki/ca.crt"
    key_pair sa
    openssl pkey -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
    cert apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$node_ip,IP:$first_service,DNS:${names//,/,DNS:}"
    cert admin /O=system:masters/CN=admin
    cert kubelet /O=system:nodes/CN=system:node:node1 "IP:$node_ip,DNS:node1"
    cert front-proxy /CN=front-proxy
  } >"$log/pki.log" 2>&1 || die_with_log "cannot make certificates" pki
  kubeconfig_of admin
  kubeconfig_of kubelet
}

# ---- audit ------------------------------------------------------------------------------------------------------

# With CLUSTER_AUDIT=1 at `up`: who asked for what, and by which binding it was allowed, for service accounts outside of
# kube-system, a JSON object a line in audit.log beside the other logs.
audit_flags() {
  [[ ${CLUSTER_AUDIT:-0} == 1 ]] || return 0
  cat >"$state/audit.yaml" <<YAML
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
  - {level: None, userGroups: ["system:serviceaccounts:kube-system"]}
  - {level: Metadata, userGroups: ["system:serviceaccounts"]}
  - {level: None}
YAML
  printf '%s\n' "--audit-policy-file=$state/audit.yaml" "--audit-log-path=$log/audit.log" --audit-log-mode=blocking
}

# ---- processes --------------------------------------------------------------------------------------------------

etcd_url=http://127.0.0.1:2379

control_plane() { # control_plane [API SERVER FLAG...]
  {
    printf '%s\n' "$@"
    audit_flags
  } >"$state/apiserver.flags"
  mkdir -p "$memory"
  start etcd "$kube_bin/kube" etcd --data-dir "$memory/etcd" --listen-client-urls $etcd_url --advertise-client-urls $etcd_url \
    --listen-peer-urls http://127.0.0.1:2380 --quota-backend-bytes 4294967296 --logger zap --log-level warn \
    --unsafe-no-fsync
  start_apiserver
}

start_apiserver() {
  local pki=$state/pki flags
  [[ -d $pki ]] || die "cluster $name is not up"
  pid_of apiserver >/dev/null && return
  mapfile -t flags < <(grep . "$state/apiserver.flags")
  # shellcheck disable=SC2206 # a list of flags
  flags+=(${CLUSTER_APISERVER_FLAGS:-})
  start apiserver "$kube_bin/kube" kube-apiserver --etcd-servers=$etcd_url --bind-address=0.0.0.0 --secure-port=6443 \
    --advertise-address="$node_ip" --service-cluster-ip-range="$services" --allow-privileged=true \
    --authorization-mode=Node,RBAC --client-ca-file="$pki/ca.crt" \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/sa.pub" \
    --service-account-signing-key-file="$pki/sa.key" --requestheader-client-ca-file="$pki/ca.crt" \
    --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key" \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --max-requests-inflight=2000 \
    --max-mutating-requests-inflight=1000 "${flags[@]}"
  wait_ready apiserver 90 kc get --raw=/readyz --request-timeout=5s
}

controllers() {
  local pki=$state/pki config=$state/admin.kubeconfig
  local common=(--kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config"
    --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000)
  start controller-manager "$kube_bin/kube" kube-controller-manager "${common[@]}" --root-ca-file="$pki/ca.crt" \
    --service-account-private-key-file="$pki/sa.key" --cluster-signing-cert-file="$pki/ca.crt" \
    --cluster-signing-key-file="$pki/ca.key" --use-service-account-credentials=true --cluster-cidr="$pods"
  start scheduler "$kube_bin/kube" kube-scheduler "${common[@]}"
}

compact() { # through etcd's JSON gateway, which spares an etcdctl
  local revision
  revision=$(etcd_call kv/range '{"key": "AA=="}' | jq -er .header.revision)
  etcd_call kv/compaction "{\"revision\": \"$revision\", \"physical\": true}" >/dev/null
  printf '%s\n' "$revision"
}

etcd_call() { in_ns curl -sS -f --max-time 30 --noproxy '*' -d "$2" "$etcd_url/v3/$1"; }
