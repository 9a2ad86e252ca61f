// Prints what kstatus, and so Flux, says of each object: the status and the message, separated by a tab. Objects come as JSON,
// one a line.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			fmt.Printf("error\t%v\n", err)
			continue
		}
		result, err := status.Compute(&object)
		if err != nil {
			fmt.Printf("error\t%v\n", err)
			continue
		}
		fmt.Printf("%s\t%s\n", result.Status, strings.ReplaceAll(result.Message, "\n", " "))
	}
}
