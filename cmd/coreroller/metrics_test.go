package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// What a running server shows is documented, and says what needs attention.
func TestMetricsOfARunningServerAreDocumented(t *testing.T) {
	p := startProgram(t, "")
	response, err := http.Get(p.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for _, want := range []string{
		`coreroller_attention{kind="default_password"} 1`, `coreroller_attention{kind="halted"} 0`,
		"coreroller_database_unusable_seconds 0", "coreroller_checkins_waiting 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`(?m)^# TYPE (coreroller_\w+) (\w+)$`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(string(page), "\n| `"+name[1]+"` | "+name[2]+" |") {
			t.Errorf("docs/metrics.md lacks %s with the type %s", name[1], name[2])
		}
	}
}
