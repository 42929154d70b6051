package main

import (
	"encoding/json"
	"testing"
)

func TestDoctorNamesWhatIsWrongAndTheFix(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	r.run(0, arguments("doctor"), "✓  Server", "✓  Database", "sqlite, answers in", "✓  Clock", "on this machine only", "no machine has asked for updates yet",
		p.URL()+"/connect", "acts for admin as owner", "▲  Fleet", p.URL()+"/account/password", "0 failed.")
	checkIn(t, p, k, "web-1")
	k.promote(t)
	r.run(0, []string{"halt", "production", "--reason", "kernel panics"})
	out := r.run(1, arguments("doctor -o json"), "1 check failed")
	var all []struct{ Check, Level, Text, Fix string }
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err, out)
	}
	seen := map[string]bool{}
	for _, f := range all {
		seen[f.Check] = true
		if f.Text == "" || f.Level == "" || (f.Level == "failed") != (f.Check == "Fleet" && f.Fix != "" && f.Level == "failed") {
			t.Errorf("%+v", f)
		}
	}
	if len(seen) != 8 {
		t.Errorf("checks: %v", seen)
	}
	r.run(1, arguments("doctor"), "✗  Fleet", "OS/production: ", "kernel panics", "run coreroller rollback "+k.group.String()+" --to VERSION", "1 of 1 seen in 24 h", "1 failed.")

	gone := &remote{t, []string{"COREROLLER_SERVER=http://127.0.0.1:1", "COREROLLER_TOKEN=x"}}
	gone.run(1, arguments("doctor"), "✗  Server", "no server listens at", "0 ok, 0 warnings, 1 failed.")
	wrong := &remote{t, []string{"COREROLLER_SERVER=" + p.URL(), "COREROLLER_TOKEN=crt_wrong"}}
	wrong.run(1, arguments("doctor"), "✗  Server", "the token is from COREROLLER_TOKEN")
}
