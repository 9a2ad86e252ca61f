// Writes a database of vulnerabilities for Grype: grype_db DIR <LIST. Each line of LIST is a source package of Debian 12 and the
// version in which it is repaired; each becomes a vulnerability of its own. The schema is Grype's, by its own code.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/spf13/afero"

	v6 "github.com/anchore/grype/grype/db/v6"
)

var now = time.Now()

func advisory(id, source, fixed string) *v6.AffectedPackageHandle {
	debian := &v6.Provider{ID: "debian", Version: "1", Processor: "test", DateCaptured: &now, InputDigest: "xxh64:0"}
	return &v6.AffectedPackageHandle{
		Vulnerability: &v6.VulnerabilityHandle{
			Name: id, Status: v6.VulnerabilityActive, Provider: debian, ProviderID: debian.ID,
			BlobValue: &v6.VulnerabilityBlob{ID: id, Description: source},
		},
		OperatingSystem: &v6.OperatingSystem{Name: "debian", ReleaseID: "debian", MajorVersion: "12", Codename: "bookworm"},
		Package:         &v6.Package{Ecosystem: "deb", Name: source},
		BlobValue: &v6.PackageBlob{Ranges: []v6.Range{{
			Version: v6.Version{Type: "dpkg", Constraint: "< " + fixed},
			Fix:     &v6.Fix{Version: fixed, State: v6.FixedStatus},
		}}},
	}
}

func add(db v6.ReadWriter) error {
	lines := bufio.NewScanner(os.Stdin)
	for number := 1; lines.Scan(); number++ {
		var source, fixed string
		if _, err := fmt.Sscan(lines.Text(), &source, &fixed); err != nil {
			return err
		}
		one := advisory(fmt.Sprintf("CVE-2026-%d", 10000+number), source, fixed)
		if err := db.AddVulnerabilities(one.Vulnerability); err != nil {
			return err
		}
		if err := db.AddAffectedPackages(one); err != nil {
			return err
		}
	}
	return lines.Err()
}

func write(dir string) error {
	db, err := v6.NewWriter(v6.Config{DBDirPath: dir})
	if err != nil {
		return err
	}
	if err := db.SetDBMetadata(); err != nil {
		return err
	}
	if err := add(db); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	_, err = v6.WriteImportMetadata(afero.NewOsFs(), dir, "test")
	return err
}

func main() {
	if err := write(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
