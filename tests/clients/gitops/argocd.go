// Argo CD's application controller for one Application, without its server, its repository server and its Redis: the order of
// steps is that of controller/state.go (CompareAppState) and controller/sync.go (SyncAppState), and each step is Argo CD's own
// code: Helm's arguments, tracking, settings and their defaults, live state, normalisation, the three kinds of diff, sync and
// health with the scripts that Argo CD ships.
//
//	argocd APPLICATION compare            a line for each object: sync status, health, object, and what differs
//	argocd APPLICATION sync               sync until it has ended, again as syncPolicy.retry says; then compare
//	argocd APPLICATION manifests          what the repository server would make
//
// APPLICATION is a file with an Application. SOURCE is a directory that stands for its source, a chart or manifests. HELM is the
// helm to run. KUBECONFIG is the cluster. The last line is `application`, sync status, health, and how the sync ended.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	argodiff "github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/sync/hook"
	"github.com/argoproj/gitops-engine/pkg/sync/ignore"
	resourceutil "github.com/argoproj/gitops-engine/pkg/sync/resource"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

type controller struct {
	app       *v1alpha1.Application
	config    *rest.Config
	kubectl   *kube.KubectlCmd
	cache     cache.ClusterCache
	settings  *settings.SettingsManager
	overrides map[string]v1alpha1.ResourceOverride
	key       string
	method    v1alpha1.TrackingMethod
	tracking  argo.ResourceTracking
}

// A comparison is what CompareAppState returns.
type comparison struct {
	resources sync.ReconciliationResult
	diffs     *diff.DiffResultList
	lines     []string
	sync      v1alpha1.SyncStatusCode
	health    health.HealthStatusCode
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "argocd:", err)
		os.Exit(1)
	}
}

func readApplication(file string) *v1alpha1.Application {
	text, err := os.ReadFile(file)
	check(err)
	app := &v1alpha1.Application{}
	check(yaml.UnmarshalStrict(text, app))
	return app
}

// newSettings returns Argo CD's settings: its ConfigMap is empty, or the file ARGOCD_CM.
func newSettings(namespace string) *settings.SettingsManager {
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	config := &corev1.ConfigMap{}
	if file := os.Getenv("ARGOCD_CM"); file != "" {
		text, err := os.ReadFile(file)
		check(err)
		check(yaml.UnmarshalStrict(text, config))
	}
	config.ObjectMeta = metav1.ObjectMeta{Name: common.ArgoCDConfigMapName, Namespace: namespace, Labels: labels}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: common.ArgoCDSecretName, Namespace: namespace, Labels: labels},
		Data: map[string][]byte{"server.secretkey": []byte("x")}}
	return settings.NewSettingsManager(context.Background(), fake.NewClientset(config, secret), namespace)
}

func newController(app *v1alpha1.Application) *controller {
	c := &controller{app: app, tracking: argo.NewResourceTracking()}
	var err error
	c.config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check(err)
	c.config.QPS, c.config.Burst = 500, 1000
	c.kubectl = &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{},
		OnKubectlRun: func(string) (kube.CleanupFunc, error) { return func() {}, nil }}
	c.settings = newSettings("argocd")
	c.overrides, err = c.settings.GetResourceOverrides()
	check(err)
	c.key, err = c.settings.GetAppInstanceLabelKey()
	check(err)
	method, err := c.settings.GetTrackingMethod()
	check(err)
	c.method = v1alpha1.TrackingMethod(method)
	return c
}

// ---- the repository server ----------------------------------------------------------------------------------------

// helmArguments are those of util/helm/cmd.go (template).
func (c *controller) helmArguments(dir, values string) []string {
	options := c.app.Spec.GetSource().Helm
	if options == nil {
		options = &v1alpha1.ApplicationSourceHelm{}
	}
	name := c.app.Name
	if options.ReleaseName != "" {
		name = options.ReleaseName
	}
	client, err := discovery.NewDiscoveryClientForConfig(c.config)
	check(err)
	version, err := client.ServerVersion()
	check(err)
	arguments := []string{"template", dir, "--name-template", name, "--namespace", c.app.Spec.Destination.Namespace,
		"--kube-version", version.GitVersion}
	for _, parameter := range options.Parameters {
		set := "--set"
		if parameter.ForceString {
			set = "--set-string"
		}
		arguments = append(arguments, set, parameter.Name+"="+parameter.Value)
	}
	if text := options.ValuesYAML(); len(text) > 0 {
		check(os.WriteFile(values, text, 0o600))
		arguments = append(arguments, "--values", values)
	}
	resources, err := c.kubectl.GetAPIResources(c.config, true, cache.NewNoopSettings())
	check(err)
	for _, api := range argo.APIResourcesToStrings(resources, true) {
		arguments = append(arguments, "--api-versions", api)
	}
	if !options.SkipCrds {
		arguments = append(arguments, "--include-crds")
	}
	if options.SkipTests {
		arguments = append(arguments, "--skip-tests")
	}
	return arguments
}

func (c *controller) render(source string) []byte {
	if _, err := os.Stat(filepath.Join(source, "Chart.yaml")); err == nil {
		dir, err := os.MkdirTemp("", "argocd")
		check(err)
		defer os.RemoveAll(dir)
		command := exec.Command(os.Getenv("HELM"), c.helmArguments(source, filepath.Join(dir, "values.yaml"))...)
		var problem bytes.Buffer
		command.Stderr = &problem
		out, err := command.Output()
		if err != nil {
			check(fmt.Errorf("helm template: %s", strings.TrimSpace(problem.String())))
		}
		return out
	}
	files, err := filepath.Glob(filepath.Join(source, "*.yaml"))
	check(err)
	var all []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		all = append(append(all, "\n---\n"...), text...)
	}
	return all
}

// targets returns what has to be in the cluster, with the mark of the application: reposerver/repository/repository.go.
func (c *controller) targets() []*unstructured.Unstructured {
	objects, err := kube.SplitYAML(c.render(os.Getenv("SOURCE")))
	check(err)
	for _, object := range objects {
		if kube.IsCRD(object) {
			continue
		}
		check(c.tracking.SetAppInstance(object, c.key, c.app.InstanceName(c.app.Namespace), c.app.Spec.Destination.Namespace, c.method, ""))
	}
	return objects
}

// ---- the controller -----------------------------------------------------------------------------------------------

// The information of the live state cache is the name of the application that an object belongs to.
func (c *controller) loadCache() {
	if c.cache != nil {
		c.cache.Invalidate()
	} else {
		c.cache = cache.NewClusterCache(c.config, cache.SetLogr(logr.Discard()), cache.SetKubectl(c.kubectl),
			cache.SetPopulateResourceInfoHandler(func(object *unstructured.Unstructured, isRoot bool) (any, bool) {
				name := c.tracking.GetAppName(object, c.key, c.method, "")
				return name, isRoot && name != "" || kube.IsCRD(object)
			}))
	}
	check(c.cache.EnsureSynced())
}

func (c *controller) isOurs(live, target *unstructured.Unstructured) bool { // isSelfReferencedObj
	if live == nil || target != nil || c.method == v1alpha1.TrackingMethodLabel {
		return true
	}
	id := c.tracking.GetAppInstance(live, c.method, "")
	return id == nil || (live.GetNamespace() == id.Namespace || live.GetNamespace() == "") && live.GetName() == id.Name &&
		live.GroupVersionKind().Group == id.Group && live.GetKind() == id.Kind
}

func (c *controller) diffConfig() (argodiff.DiffConfig, func()) {
	options, err := c.settings.GetResourceCompareOptions()
	check(err)
	builder := argodiff.NewDiffConfigBuilder().
		WithDiffSettings(c.app.Spec.IgnoreDifferences, c.overrides, options.IgnoreAggregatedRoles, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(c.key, string(c.method)).WithNoCache().WithGVKParser(c.cache.GetGVKParser()).WithManager(common.ArgoCDSSAManager)
	if resourceutil.HasAnnotationOption(c.app, common.AnnotationCompareOptions, "IncludeMutationWebhook=true") {
		builder.WithIgnoreMutationWebhook(false)
	}
	cleanUp := func() {}
	if resourceutil.HasAnnotationOption(c.app, common.AnnotationCompareOptions, "ServerSideDiff=true") {
		var operations diff.KubeApplier
		operations, cleanUp, err = kube.ManageServerSideDiffDryRuns(c.config, c.cache.GetOpenAPISchema(), tracing.NopTracer{}, logr.Discard(),
			c.kubectl.OnKubectlRun)
		check(err)
		builder.WithServerSideDiff(true).WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(operations))
	}
	if c.hasOption("ServerSideApply=true") {
		builder.WithStructuredMergeDiff(true)
	}
	config, err := builder.Build()
	check(err)
	return config, cleanUp
}

func (c *controller) hasOption(option string) bool {
	return c.app.Spec.SyncPolicy != nil && c.app.Spec.SyncPolicy.SyncOptions.HasOption(option)
}

// addNamespaces gives objects without a namespace that of the application (controller/state.go, DeduplicateTargetObjects).
func (c *controller) addNamespaces(targets []*unstructured.Unstructured) {
	for _, target := range targets {
		if kube.IsNamespacedOrUnknown(c.cache, target.GroupVersionKind().GroupKind()) && target.GetNamespace() == "" {
			target.SetNamespace(c.app.Spec.Destination.Namespace)
		}
	}
}

func (c *controller) compare() comparison {
	c.loadCache()
	targets := c.targets()
	c.addNamespaces(targets)
	live, err := c.cache.GetManagedLiveObjs(targets, func(r *cache.Resource) bool {
		name, _ := r.Info.(string)
		return name == c.app.InstanceName(c.app.Namespace)
	})
	check(err)
	result := comparison{sync: v1alpha1.SyncStatusCodeSynced, health: health.HealthStatusHealthy}
	result.resources = sync.Reconcile(targets, live, c.app.Spec.Destination.Namespace, c.cache)
	config, cleanUp := c.diffConfig()
	defer cleanUp()
	result.diffs, err = argodiff.StateDiffs(result.resources.Live, result.resources.Target, config)
	if err != nil {
		result.sync = v1alpha1.SyncStatusCodeUnknown
		result.diffs = &diff.DiffResultList{Diffs: make([]diff.DiffResult, len(result.resources.Target))}
		result.lines = append(result.lines, fmt.Sprintf("Unknown\t-\tcomparison\t%s", oneLine(err.Error())))
	}
	for i := range result.resources.Target {
		c.judge(&result, i)
	}
	sort.Strings(result.lines)
	return result
}

func (c *controller) judge(result *comparison, i int) {
	target, live, difference := result.resources.Target[i], result.resources.Live[i], result.diffs.Diffs[i]
	object := live
	if object == nil {
		object = target
	}
	if object == nil || hook.IsHook(object) || ignore.Ignore(object) || target != nil && hook.Skip(target) || !c.isOurs(live, target) {
		return
	}
	status, detail := v1alpha1.SyncStatusCodeSynced, ""
	switch {
	case live == nil:
		status, detail = v1alpha1.SyncStatusCodeOutOfSync, "missing"
	case target == nil:
		status, detail = v1alpha1.SyncStatusCodeOutOfSync, "to be pruned"
	case difference.Modified:
		status, detail = v1alpha1.SyncStatusCodeOutOfSync, differences(difference)
	}
	isExtra := target == nil && resourceutil.HasAnnotationOption(object, common.AnnotationCompareOptions, "IgnoreExtraneous")
	if status != v1alpha1.SyncStatusCodeSynced && !isExtra && result.sync != v1alpha1.SyncStatusCodeUnknown {
		result.sync = status
	}
	result.lines = append(result.lines, fmt.Sprintf("%s\t%s\t%s %s/%s\t%s", status, c.judgeHealth(result, object, live), object.GetKind(),
		object.GetNamespace(), object.GetName(), detail))
}

func (c *controller) judgeHealth(result *comparison, object, live *unstructured.Unstructured) string { // controller/health.go
	overrides := lua.ResourceHealthOverrides(c.overrides)
	state := &health.HealthStatus{Status: health.HealthStatusMissing}
	if live != nil {
		var err error
		state, err = health.GetResourceHealth(live, overrides)
		check(err)
	}
	if state == nil {
		return "-"
	}
	_, hasScript := overrides[lua.GetConfigMapKey(object.GroupVersionKind())]
	if state.Status == health.HealthStatusMissing && !hasScript && health.GetHealthCheckFunc(object.GroupVersionKind()) == nil {
		return string(state.Status)
	}
	if health.IsWorse(result.health, state.Status) {
		result.health = state.Status
	}
	return string(state.Status)
}

// ---- sync ---------------------------------------------------------------------------------------------------------

func (c *controller) syncOptions(before comparison, phase synccommon.OperationPhase, message string,
	results []synccommon.ResourceSyncResult, started metav1.Time) []sync.SyncOpt {
	policy := metav1.DeletePropagationForeground
	if c.hasOption("PrunePropagationPolicy=background") {
		policy = metav1.DeletePropagationBackground
	}
	automated := c.app.Spec.SyncPolicy.Automated
	options := []sync.SyncOpt{
		sync.WithLogr(logr.Discard()),
		sync.WithHealthOverride(lua.ResourceHealthOverrides(c.overrides)),
		sync.WithPermissionValidator(func(*unstructured.Unstructured, *metav1.APIResource) error { return nil }),
		sync.WithOperationSettings(false, automated != nil && automated.Prune, false, false),
		sync.WithInitialState(phase, message, results, started),
		sync.WithResourcesFilter(func(_ kube.ResourceKey, target, live *unstructured.Unstructured) bool { return c.isOurs(live, target) }),
		sync.WithManifestValidation(!c.hasOption(synccommon.SyncOptionsDisableValidation)),
		sync.WithPruneLast(c.hasOption(synccommon.SyncOptionPruneLast)),
		sync.WithResourceModificationChecker(c.hasOption("ApplyOutOfSyncOnly=true"), before.diffs),
		sync.WithPrunePropagationPolicy(&policy),
		sync.WithReplace(c.hasOption(synccommon.SyncOptionReplace)),
		sync.WithServerSideApply(c.hasOption(synccommon.SyncOptionServerSideApply)),
		sync.WithServerSideApplyManager(common.ArgoCDSSAManager),
		sync.WithClientSideApplyMigration(!c.hasOption(synccommon.SyncOptionDisableClientSideApplyMigration),
			synccommon.DefaultClientSideApplyMigrationManager),
		sync.WithSkipDryRunOnMissingResource(c.hasOption(synccommon.SyncOptionSkipDryRunOnMissingResource)),
	}
	if c.hasOption("CreateNamespace=true") {
		options = append(options, sync.WithNamespaceModifier(func(managed, live *unstructured.Unstructured) (bool, error) {
			return managed != nil && live == nil, nil
		}))
	}
	return options
}

// syncOnce carries one operation to its end. As the controller does, each step begins with a comparison.
func (c *controller) syncOnce() (synccommon.OperationPhase, string) {
	phase, message, results, started := synccommon.OperationRunning, "", []synccommon.ResourceSyncResult(nil), metav1.Now()
	for step := 0; !phase.Completed(); step++ {
		before := c.compare()
		operation, cleanUp, err := sync.NewSyncContext("revision", before.resources, c.config, c.config, c.kubectl,
			c.app.Spec.Destination.Namespace, c.cache.GetOpenAPISchema(), c.syncOptions(before, phase, message, results, started)...)
		check(err)
		operation.Sync()
		phase, message, results = operation.GetState()
		cleanUp()
		if !phase.Completed() {
			if step == 0 {
				fmt.Fprintln(os.Stderr, "argocd:", oneLine(message))
			}
			time.Sleep(time.Second)
		}
	}
	for _, result := range results {
		if result.Status == synccommon.ResultCodeSyncFailed || result.HookPhase == synccommon.OperationFailed {
			message += fmt.Sprintf("; %s %s: %s", result.ResourceKey.Kind, result.ResourceKey.Name, result.Message)
		}
	}
	return phase, message
}

func (c *controller) sync() string {
	begin := time.Now()
	phase, message := c.syncOnce()
	retry := c.app.Spec.SyncPolicy.Retry
	for tries := int64(0); !phase.Successful() && retry != nil && tries < retry.Limit; tries++ {
		fmt.Fprintln(os.Stderr, "argocd: trying again:", oneLine(message))
		at, err := retry.NextRetryAt(time.Now(), tries)
		check(err)
		time.Sleep(time.Until(at))
		phase, message = c.syncOnce()
	}
	return fmt.Sprintf("%s after %.0f s: %s", phase, time.Since(begin).Seconds(), oneLine(message))
}

// ---- output -------------------------------------------------------------------------------------------------------

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// differences returns the members that differ between live and predicted state.
func differences(result diff.DiffResult) string {
	var live, predicted any
	check(json.Unmarshal(result.NormalizedLive, &live))
	check(json.Unmarshal(result.PredictedLive, &predicted))
	var found []string
	walk("", live, predicted, &found)
	return strings.Join(found, "; ")
}

func walk(path string, live, predicted any, found *[]string) {
	a, isMap := live.(map[string]any)
	b, isMapToo := predicted.(map[string]any)
	if isMap && isMapToo {
		keys := map[string]bool{}
		for key := range a {
			keys[key] = true
		}
		for key := range b {
			keys[key] = true
		}
		for key := range keys {
			walk(path+"."+key, a[key], b[key], found)
		}
		return
	}
	c, isList := live.([]any)
	d, isListToo := predicted.([]any)
	if isList && isListToo && len(c) == len(d) {
		for i := range c {
			walk(fmt.Sprintf("%s[%d]", path, i), c[i], d[i], found)
		}
		return
	}
	x, _ := json.Marshal(live)
	y, _ := json.Marshal(predicted)
	if !bytes.Equal(x, y) {
		*found = append(*found, fmt.Sprintf("%s: live %.2000s, wanted %.2000s", path, x, y))
	}
}

func main() {
	if len(os.Args) != 3 {
		check(fmt.Errorf("usage: argocd APPLICATION compare|sync|manifests"))
	}
	logrus.SetLevel(logrus.ErrorLevel)
	c := newController(readApplication(os.Args[1]))
	ended := ""
	switch os.Args[2] {
	case "manifests":
		fmt.Print(string(c.render(os.Getenv("SOURCE"))))
		return
	case "sync":
		ended = c.sync()
	case "compare":
	default:
		check(fmt.Errorf("unknown command %s", os.Args[2]))
	}
	result := c.compare()
	for _, line := range result.lines {
		fmt.Println(line)
	}
	fmt.Printf("application\t%s\t%s\t%s\n", result.sync, result.health, ended)
}
