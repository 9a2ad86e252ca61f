// Flux's kustomize-controller and the drift detection of its helm-controller for one object, without their sources, queues and
// status. Both controllers are programs whose parts cannot be imported, so the steps of kustomization_controller.go (build,
// apply, checkHealth, prune) and of helm-controller's internal/action/diff.go are repeated here; what a step does is Flux's
// own library, github.com/fluxcd/pkg/ssa, and the manifests are read as Flux's own types.
//
//	flux kustomization FILE apply         apply, wait if spec.wait says so, prune what earlier calls applied (the file INVENTORY)
//	flux helmrelease FILE values          the values
//	flux helmrelease FILE drift           compare the release with the cluster as spec.driftDetection says
//	flux helmrelease FILE correct         and correct it
//
// FILE has one Kustomization or HelmRelease. SOURCE is a directory with the manifests of the Kustomization; RELEASE is a file with
// those of the release (helm get manifest). KUBECONFIG is the cluster. Prints a line for each object: what was done, the object,
// and what differs.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "flux:", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
}

func read(file string, object any) {
	text, err := os.ReadFile(file)
	check(err)
	check(yaml.UnmarshalStrict(text, object))
}

func newClient() (*rest.Config, client.Client) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check(err)
	config.QPS, config.Burst = 500, 1000
	c, err := client.New(config, client.Options{})
	check(err)
	return config, c
}

// ---- kustomize-controller -----------------------------------------------------------------------------------------

func applyOptions(k *kustomizev1.Kustomization) ssa.ApplyOptions { // KustomizationReconciler.apply
	group := kustomizev1.GroupVersion.Group
	options := ssa.DefaultApplyOptions()
	options.WaitInterval = 200 * time.Millisecond
	options.Force = k.Spec.Force
	options.ExclusionSelector = map[string]string{group + "/reconcile": kustomizev1.DisabledValue, group + "/ssa": kustomizev1.IgnoreValue}
	options.IfNotPresentSelector = map[string]string{group + "/ssa": kustomizev1.IfNotPresentValue}
	options.ForceSelector = map[string]string{group + "/force": kustomizev1.EnabledValue}
	options.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{corev1.LastAppliedConfigAnnotation},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "kustomize-controller", OperationType: metav1.ManagedFieldsOperationUpdate},
		},
		Exclusions: map[string]string{group + "/ssa": kustomizev1.MergeValue},
	}
	return options
}

// build makes the objects as the controller does where the folder has no kustomization.yaml: one with all files, and the images.
func build(k *kustomizev1.Kustomization) []*unstructured.Unstructured {
	dir, err := os.MkdirTemp("", "flux")
	check(err)
	defer os.RemoveAll(dir)
	files, err := filepath.Glob(filepath.Join(os.Getenv("SOURCE"), "*.yaml"))
	check(err)
	overlay := map[string]any{"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "images": k.Spec.Images}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		check(os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600))
		names = append(names, filepath.Base(file))
	}
	overlay["resources"] = names
	text, err := yaml.Marshal(overlay)
	check(err)
	check(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), text, 0o600))
	out, err := exec.Command("kubectl", "kustomize", dir).Output()
	check(err)
	objects, err := utils.ReadObjects(bytes.NewReader(out))
	check(err)
	return objects
}

// prune deletes what an earlier call has applied and this one has not.
func prune(ctx context.Context, manager *ssa.ResourceManager, k *kustomizev1.Kustomization, objects []*unstructured.Unstructured) {
	inventory, now, stale := os.Getenv("INVENTORY"), map[string]bool{}, []*unstructured.Unstructured{}
	var keep []unstructured.Unstructured
	for _, object := range objects {
		now[utils.FmtUnstructured(object)] = true
		one := unstructured.Unstructured{}
		one.SetGroupVersionKind(object.GroupVersionKind())
		one.SetName(object.GetName())
		one.SetNamespace(object.GetNamespace())
		keep = append(keep, one)
	}
	if text, err := os.ReadFile(inventory); err == nil && k.Spec.Prune {
		var before []unstructured.Unstructured
		check(json.Unmarshal(text, &before))
		for i := range before {
			if !now[utils.FmtUnstructured(&before[i])] {
				stale = append(stale, &before[i])
			}
		}
	}
	group := kustomizev1.GroupVersion.Group
	deleted, err := manager.DeleteAll(ctx, stale, ssa.DeleteOptions{
		PropagationPolicy: metav1.DeletePropagationBackground,
		Inclusions:        manager.GetOwnerLabels(k.Name, k.Namespace),
		Exclusions:        map[string]string{group + "/prune": kustomizev1.DisabledValue, group + "/reconcile": kustomizev1.DisabledValue},
	})
	check(err)
	for _, entry := range deleted.Entries {
		fmt.Printf("%s\t%s\n", entry.Action, entry.Subject)
	}
	text, err := json.Marshal(keep)
	check(err)
	check(os.WriteFile(inventory, text, 0o600))
}

func applyKustomization(file string) {
	ctx, k := context.Background(), &kustomizev1.Kustomization{}
	read(file, k)
	_, c := newClient()
	manager := ssa.NewResourceManager(c, polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{}),
		ssa.Owner{Field: "kustomize-controller", Group: kustomizev1.GroupVersion.Group})
	objects := build(k)
	manager.SetOwnerLabels(objects, k.Name, k.Namespace)
	check(normalize.UnstructuredList(objects))
	changes, err := manager.ApplyAllStaged(ctx, objects, applyOptions(k))
	for _, entry := range changes.Entries {
		fmt.Printf("%s\t%s\n", entry.Action, entry.Subject)
	}
	check(err)
	prune(ctx, manager, k, objects)
	if k.Spec.Wait {
		check(manager.WaitForSet(changes.ToObjMetadataSet(), ssa.WaitOptions{Interval: time.Second, Timeout: k.GetTimeout(), FailFast: true}))
		fmt.Println("ready")
	}
}

// ---- helm-controller ----------------------------------------------------------------------------------------------

// released returns the objects of the release as Helm has made them.
func released(c client.Client, release *helmv2.HelmRelease) []*unstructured.Unstructured {
	text, err := os.Open(os.Getenv("RELEASE"))
	check(err)
	objects, err := utils.ReadObjects(text)
	check(err)
	check(normalize.UnstructuredListWithScheme(objects, c.Scheme()))
	for _, object := range objects {
		utils.SetCommonMetadata([]*unstructured.Unstructured{object}, map[string]string{"app.kubernetes.io/managed-by": "Helm"},
			map[string]string{"meta.helm.sh/release-name": release.GetReleaseName(), "meta.helm.sh/release-namespace": release.GetReleaseNamespace()})
		isNamespaced, err := apiutil.IsObjectNamespaced(object, c.Scheme(), c.RESTMapper())
		check(err)
		if isNamespaced && object.GetNamespace() == "" {
			object.SetNamespace(release.GetReleaseNamespace())
		}
	}
	return objects
}

func drift(ctx context.Context, c client.Client, release *helmv2.HelmRelease) jsondiff.DiffSet { // internal/action/diff.go
	options := []jsondiff.ListOption{
		jsondiff.FieldOwner("helm-controller"),
		jsondiff.ExclusionSelector{helmv2.DriftDetectionMetadataKey: helmv2.DriftDetectionDisabledValue},
		jsondiff.Rationalize(true),
		jsondiff.Graceful(true),
	}
	var ignored jsondiff.IgnoreRules
	for _, rule := range release.GetDriftDetection().Ignore {
		one := jsondiff.IgnoreRule{Paths: rule.Paths}
		if rule.Target != nil {
			one.Selector = &jsondiff.Selector{Group: rule.Target.Group, Version: rule.Target.Version, Kind: rule.Target.Kind,
				Name: rule.Target.Name, Namespace: rule.Target.Namespace, AnnotationSelector: rule.Target.AnnotationSelector,
				LabelSelector: rule.Target.LabelSelector}
		}
		ignored = append(ignored, one)
	}
	if len(ignored) > 0 {
		options = append(options, ignored)
	}
	set, err := jsondiff.UnstructuredList(ctx, c, released(c, release), options...)
	check(err)
	return set
}

func correct(ctx context.Context, c client.Client, one *jsondiff.Diff) {
	object := one.DesiredObject.DeepCopyObject().(client.Object)
	if one.Type == jsondiff.DiffTypeCreate {
		check(c.Create(ctx, object, client.FieldOwner("helm-controller")))
		return
	}
	patch, err := json.Marshal(one.Patch)
	check(err)
	check(c.Patch(ctx, object, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner("helm-controller")))
}

func handleRelease(file, command string) {
	ctx, release := context.Background(), &helmv2.HelmRelease{}
	read(file, release)
	if command == "values" {
		fmt.Println(string(release.Spec.Values.Raw))
		return
	}
	if !release.GetDriftDetection().MustDetectChanges() {
		check(fmt.Errorf("spec.driftDetection.mode is not on"))
	}
	_, c := newClient()
	for _, one := range drift(ctx, c, release) {
		patch, err := json.Marshal(one.Patch)
		check(err)
		if one.Type == jsondiff.DiffTypeNone || one.Type == jsondiff.DiffTypeExclude {
			patch = nil
		}
		fmt.Printf("%s\t%s\t%s\n", one.Type, utils.FmtUnstructured(one.DesiredObject.(*unstructured.Unstructured)), patch)
		if command == "correct" && (one.Type == jsondiff.DiffTypeCreate || one.Type == jsondiff.DiffTypeUpdate) {
			correct(ctx, c, one)
		}
	}
}

func main() {
	if len(os.Args) != 4 {
		check(fmt.Errorf("usage: flux kustomization FILE apply | flux helmrelease FILE values|drift|correct"))
	}
	switch os.Args[1] + " " + os.Args[3] {
	case "kustomization apply":
		applyKustomization(os.Args[2])
	case "helmrelease values", "helmrelease drift", "helmrelease correct":
		handleRelease(os.Args[2], os.Args[3])
	default:
		check(fmt.Errorf("unknown command %s %s", os.Args[1], os.Args[3]))
	}
}
