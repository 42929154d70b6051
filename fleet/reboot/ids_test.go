package reboot

import (
	"slices"
	"testing"
)

// The ids are those of `systemd-id128 machine-id -a de35106b6ec24688b63afddaa156679b` on
// a host with that machine id.
func TestDerived(t *testing.T) {
	const want = "975228d46dc94622b9bbe16671e2b58d"
	for _, machine := range []string{"3d1219c7c4c5404aaa1f6d2a48adfda4", "{3D1219C7-C4C5-404A-AA1F-6D2A48ADFDA4}"} {
		if got, ok := Derived(machine); !ok || got != want || !derivable(got) {
			t.Errorf("%s: %q %v", machine, got, ok)
		}
	}
	if _, ok := Derived("web-1"); ok {
		t.Error("a name has no derived id")
	}
}

func TestForms(t *testing.T) {
	const dashed = "dfd7882a-cda6-4c34-aca7-6193c46f5d4e"
	all := Forms("dfd7882acda64c34aca76193c46f5d4e")
	for _, want := range []string{dashed, "{" + dashed + "}", "DFD7882ACDA64C34ACA76193C46F5D4E"} {
		if !slices.Contains(all, want) {
			t.Errorf("%q has no %s", all, want)
		}
	}
	if all := Forms("web-1"); !slices.Equal(all, []string{"web-1"}) {
		t.Errorf("%q", all)
	}
}
