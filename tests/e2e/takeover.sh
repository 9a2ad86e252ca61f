# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of `chart`
# Part of `chart`: the upgrade from GCP's operator. What it leaves in a cluster is made here: a release of its chart
# (old-release), CRDs without what ours have beside the types, a Secret with its key names, a Lease that a dead process holds, a
# webhook configuration that no release owns, and applications with the status that it writes (as tests/corpus/expected recorded
# it), one of them with a driver that runs, made by spark-submit.

test_takeover() {
  local n=$release-spark-operator account_uid
  clean
  old_crds && need "takeover: the old release" old_release || return 0
  old_objects
  need "takeover: the old driver runs" wait_until 120 "a running driver" phase_is running Running || {
    kubectl -n "$jobs" logs running-submit --tail=5 >&2 || true
    return 0
  }
  old_driver
  driver_uid running >"$work/running.uid"
  account_uid=$(uid_of serviceaccount "$account" "$jobs")
  finished >"$work/finished"
  begin_mode takeover
  need "takeover: helm upgrade" put upgrade "${old_form[@]}" || return 0
  say "  after $(cat "$work/took") ms"
  check "takeover: the driver's account is the same one" [ "$(uid_of serviceaccount "$account" "$jobs")" = "$account_uid" ]
  check "takeover: ours holds the Lease" wait_until 40 "our name in the Lease" lease_is_ours
  check "takeover: the Secret's CA is still the one" [ "$(ca_of_secret)" = "$(base64 -w0 <"$work/ca.crt")" ]
  check "takeover: and is what the API server trusts" wait_until 20 "the CA in the configurations" trusted
  webhook_works
  check "takeover: the CRDs are upgraded" wait_until 30 "printer columns" crds_upgraded
  check "takeover: what was submitted after all is done" completes fresh 240
  check "takeover: the driver that ran is the same" untouched running
  wait_until 40 "an executor in the status" executors_known || true
  check "takeover: the driver may end" let_end running
  check "takeover: its application follows it to the end" completes running 240
  check "takeover: and nobody submitted it again" same_submission
  check "takeover: its executor is in the status" executors_known
  check "takeover: what was submitted and lost is tried again or failed, with a reason" wait_until 120 "an end" settled
  check "takeover: what had ended keeps its status, with conditions added and no more" as_before
  check "takeover: a second helm upgrade, with nothing changed" put upgrade "${old_form[@]}"
  check "takeover: the operator still works after that" still_works
  end_mode partly
  clean
}

# ---- what there was before --------------------------------------------------------------------------------------

old_crds() { # the same kinds without columns and types, as another version would have others
  local file
  delete_crds
  for file in "$top"/crds/sparkoperator.k8s.io_*.yaml; do
    kubectl create --dry-run=client --validate=false -o json -f "$file" | jq 'del(.status) | .spec.versions[] |= (del(.additionalPrinterColumns)
      | .schema.openAPIV3Schema = {type: "object", properties: {spec: {type: "object", "x-kubernetes-preserve-unknown-fields": true},
          status: {type: "object", "x-kubernetes-preserve-unknown-fields": true}}})' | kubectl create -f - >/dev/null || return 1
  done
  kubectl wait --for=condition=Established --timeout=30s crd "${crds[@]/%/.sparkoperator.k8s.io}" >/dev/null
}

crds_upgraded() {
  kubectl get crd "${crds[@]/%/.sparkoperator.k8s.io}" -o json | jq -e 'all(.items[].spec.versions[]; .additionalPrinterColumns | length > 1)'
}

old_release() { # its operator's pod would be no `restricted` one
  kubectl label namespace "$operators" pod-security.kubernetes.io/enforce- >/dev/null
  helm install "$release" "$top/tests/e2e/old-release" -n "$operators" --set "sparkJobNamespace=$jobs" --wait --timeout 60s || return 1
  kubectl label namespace "$operators" pod-security.kubernetes.io/enforce=restricted >/dev/null 2>&1
}

old_objects() {
  old_secret
  kubectl create -f - >/dev/null <<YAML
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: spark-operator-lock, namespace: $operators}
spec: {holderIdentity: $n-5d8f7c9b4-dead1_0a1b2c3d, leaseDurationSeconds: 15, leaseTransitions: 3,
  acquireTime: "2024-05-01T10:00:00.000000Z", renewTime: "2024-05-01T12:00:00.000000Z"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: $n-webhook-config}
webhooks:
  - name: webhook.sparkoperator.k8s.io
    clientConfig: {service: {namespace: $operators, name: $n-webhook, path: /webhook}, caBundle: $(base64 -w0 <"$work/ca.crt")}
    rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
    objectSelector: {matchLabels: {sparkoperator.k8s.io/launched-by-spark-operator: "true"}}
    failurePolicy: Ignore
    sideEffects: NoneOnDryRun
    timeoutSeconds: 2
    admissionReviewVersions: [v1]
YAML
  old_app ended COMPLETED '| .terminationTime = "2024-05-01T11:00:00Z" | .executorState = {"spark-pi-1-exec-1": "COMPLETED"}'
  old_app broken FAILED '| .terminationTime = "2024-05-01T11:00:00Z" | .applicationState.errorMessage = "driver container failed with ExitCode: 101, Reason: Error"'
  old_app lost SUBMITTED
  old_app running RUNNING '' "$stays"
  apply fresh >/dev/null
  old_submit running "$(submission_of running)"
}

old_secret() { # ten years, as the old operator's; a certificate for its Service
  local host=$n-webhook.$operators.svc
  (
    cd "$work" || exit
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$host" -keyout ca.key -out ca.crt
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 \
      -extfile <(printf 'subjectAltName=DNS:%s,DNS:%s,DNS:%s.cluster.local\nextendedKeyUsage=serverAuth\n' "$n-webhook" "$host" "$host") \
      -out server.crt
  ) >"$work/openssl.log" 2>&1
  kubectl -n "$operators" create secret generic spark-webhook-certs --from-file=ca-cert.pem="$work/ca.crt" --from-file=ca-key.pem="$work/ca.key" \
    --from-file=server-cert.pem="$work/server.crt" --from-file=server-key.pem="$work/server.key" >/dev/null
}

submission_of() { sha256sum <<<"$1" | sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/'; }

old_app() { # old_app NAME STATE [JQ [JQ]]: changed by the second; the status as tests/corpus/expected/pi-scala.json has it
  apply "$1" "${4:-.}" >/dev/null
  jq -n --arg name "$1" --arg state "$2" --arg id "$(submission_of "$1")" "{status: ({applicationState: {state: \$state}, driverInfo: {
    podName: \"\(\$name)-driver\", webUIAddress: \"10.0.0.7:4040\", webUIPort: 4040, webUIServiceName: \"\(\$name)-ui-svc\"}, executionAttempts: 1,
    lastSubmissionAttemptTime: \"2024-05-01T10:30:00Z\", sparkApplicationId: \"spark-0123456789abcdef0123456789abcdef\", submissionAttempts: 1,
    submissionID: \$id, terminationTime: null} ${3:-})}" >"$work/status.json"
  kubectl -n "$jobs" patch sparkapp "$1" --subresource=status --type=merge --patch-file "$work/status.json" >/dev/null
}

old_submit() { # old_submit NAME SUBMISSION: spark-submit in a pod, as the old operator ran it in its own
  local role confs=() args
  for role in driver executor; do
    confs+=("spark.kubernetes.$role.label.sparkoperator.k8s.io/app-name=$1"
      "spark.kubernetes.$role.label.sparkoperator.k8s.io/launched-by-spark-operator=true"
      "spark.kubernetes.$role.label.sparkoperator.k8s.io/submission-id=$2" "spark.kubernetes.$role.request.cores=100m")
  done
  confs+=("spark.kubernetes.container.image=local/spark:$spark_version" "spark.kubernetes.namespace=$jobs" spark.executor.instances=1
    "spark.kubernetes.authenticate.driver.serviceAccountName=$account" "spark.kubernetes.driver.pod.name=$1-driver"
    spark.kubernetes.submission.waitAppCompletion=false)
  mapfile -t args < <(
    printf '%s\n' /opt/spark/bin/spark-submit --class org.apache.spark.examples.SparkPi --master k8s://https://kubernetes.default.svc
    printf '%s\n' --deploy-mode cluster --name "$1" --driver-memory 512m --executor-memory 512m
    printf -- '--conf\n%s\n' "${confs[@]}"
    printf '%s\n' local:///opt/spark/examples/jars/spark-examples.jar 2 until=/tmp/end
  )
  printf '%s\n' "${args[@]}" | jq -Rn --arg name "$1-submit" --arg ns "$jobs" --arg account "$account" --arg image "local/spark:$spark_version" '
    {apiVersion: "v1", kind: "Pod", metadata: {name: $name, namespace: $ns}, spec: {serviceAccountName: $account, restartPolicy: "Never",
      containers: [{name: "submit", image: $image, command: [inputs]}]}}' | kubectl create -f - >/dev/null
}

old_driver() { # its webhook would have made the application the driver's owner; Spark knows the identifier
  local id
  id=$(kubectl -n "$jobs" get pod running-driver -o 'jsonpath={.metadata.labels.spark-app-selector}')
  kubectl -n "$jobs" patch pod running-driver --type=merge -p "{\"metadata\": {\"ownerReferences\": [{\"apiVersion\": \"sparkoperator.k8s.io/v1beta2\",
    \"kind\": \"SparkApplication\", \"name\": \"running\", \"uid\": \"$(uid_of sparkapp running "$jobs")\", \"controller\": true,
    \"blockOwnerDeletion\": true}]}}" >/dev/null
  kubectl -n "$jobs" patch sparkapp running --subresource=status --type=merge -p "{\"status\": {\"sparkApplicationId\": \"$id\"}}" >/dev/null
}

# ---- what is afterwards -----------------------------------------------------------------------------------------

uid_of() { kubectl -n "$3" get "$1" "$2" -o 'jsonpath={.metadata.uid}'; }
as_before() { diff <(finished) "$work/finished"; }
finished() { app ended broken -o json | jq -cS '.items[] | {spec, status} | del(.status.conditions, .status.observedGeneration)'; }
lease_is_ours() { holder | grep -v dead1 | grep .; }
ca_of_secret() { kubectl -n "$operators" get secret spark-webhook-certs -o json | jq -r '.data["ca-cert.pem"]'; }

trusted() { [[ $(ca_bundles) == "[\"$(base64 -w0 <"$work/ca.crt")\"]" ]]; }

same_submission() {
  app running -o json | jq -c .status
  app running -o json | jq -e --arg id "$(submission_of running)" '.status | .submissionID == $id and .submissionAttempts == 1
    and .lastSubmissionAttemptTime == "2024-05-01T10:30:00Z" and .terminationTime != null'
}

executors_known() { app running -o json | jq -e '.status.executorState | length >= 1'; }
settled() { app lost -o json | jq -e '.status.applicationState | (.state == "COMPLETED") or (.state == "FAILED" and .errorMessage != "")'; }

still_works() {
  apply after >/dev/null && completes after 240
}
