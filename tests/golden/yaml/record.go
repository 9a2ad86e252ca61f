// Reads cases, one a line: a YAML text as a JSON string, a tab, and a result. Prints the same lines with what
// sigs.k8s.io/yaml makes of the texts: JSON, or `error`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		quoted, _, _ := strings.Cut(lines.Text(), "\t")
		var text string
		if err := json.Unmarshal([]byte(quoted), &text); err != nil {
			panic(quoted)
		}
		out, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			out = []byte("error")
		}
		fmt.Printf("%s\t%s\n", quoted, out)
	}
}
