package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/store"
)

func TestLabelsFromAnInventory(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	for i := range 60 { // more than one request
		in := checkin.CheckIn{AppID: k.app.String(), Track: trackName, Machine: fmt.Sprint("m", i), Version: "1.0.0", UpdateCheck: true}
		if _, err := p.fleet.Machines.CheckIn(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "inventory.csv")
	write := func(text string) {
		t.Helper()
		for i := range 60 {
			text += fmt.Sprintf("m%d,%d,canary web,\n", i, i%3)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("machine,rack,tags,room\n")
	r.run(0, arguments("label "+path+" --app io.example.os --dry-run"), "60 machines would change, 0 had all of it already.")
	r.run(0, arguments("label "+path+" --app io.example.os --reason inventory"), "60 machines changed, 0 had all of it already.")
	r.run(0, arguments("label "+path+" --app io.example.os"), "0 machines changed, 60 had all of it already.")
	labels, err := p.store.Labels(k.ctx, store.InstanceIDs(k.app, []string{"m1"}))
	if got := fmt.Sprint(len(labels[store.InstanceID(k.app, "m1")])); err != nil || got != "3" {
		t.Errorf("m1 has %s labels: %v", got, err)
	}

	// The others are changed when some are not.
	if err := os.WriteFile(path, []byte("machine,rack,oem\nother,1,\nm1,9,\nm2,1,made-up\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(1, arguments("label "+path+" --app io.example.os"), "1 machines changed", "1 are not known: other", "line 4, machine m2", "2 of the machines were not changed")
	r.run(2, arguments("label "+path+".missing --app io.example.os"), "no such file")
	r.run(0, arguments("machines --attribute rack=9"), "m1")
}
