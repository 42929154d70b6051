package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestOpenFilesBoundTheConnections(t *testing.T) {
	for name, c := range map[string]struct {
		files    uint64
		config   Config
		want     int
		remedies string
	}{
		"enough":             {20_000, Config{}, 10_000, ""},
		"not known":          {0, Config{}, 10_000, ""},
		"unlimited":          {1 << 63, Config{}, 10_000, ""},
		"few":                {1024, Config{Payloads: Payloads{Downloads: 200}}, 724, "raise the limit to 10300:"},
		"very few":           {128, Config{Payloads: Payloads{Downloads: 200}}, 64, "raise the limit to 10300:"},
		"two listeners":      {1100, Config{Web: Web{ListenMachines: ":1"}}, 500, "raise the limit to 20100:"},
		"metrics":            {1200, Config{Web: Web{ListenMetrics: ":1"}}, 1000, "raise the limit to 10200:"},
		"configured to less": {1024, Config{MaxConnections: 500}, 500, ""},
	} {
		var log bytes.Buffer
		if got := c.config.boundConnections(c.files, slog.New(slog.NewTextHandler(&log, nil))); got != c.want {
			t.Errorf("%s: %d connections, want %d", name, got, c.want)
		}
		if (log.Len() > 0) != (c.remedies != "") || !strings.Contains(log.String(), c.remedies) {
			t.Errorf("%s: the log has %q", name, log.String())
		}
	}
}
