package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestRepeatedErrorsAreSampled(t *testing.T) {
	now := time.Unix(0, 0)
	var out bytes.Buffer
	log := slog.New(newSampler(slog.NewTextHandler(&out, nil), func() time.Time { return now }))
	for i := range 2000 {
		log.With("machine", i).Error("check-in failed", "error", fmt.Errorf("connection %d was lost", i))
	}
	log.Error("check-in failed", "error", fmt.Errorf("another cause"))
	for range 3 {
		log.Info("ready")
	}
	if n := strings.Count(out.String(), "\n"); n != 5 {
		t.Errorf("%d lines, want 5:\n%s", n, out.String())
	}
	now = now.Add(time.Minute)
	log.Error("check-in failed", "error", fmt.Errorf("connection 7 was lost"))
	if !strings.Contains(out.String(), "left_out=1999") {
		t.Errorf("the lines that were left out are not counted:\n%s", out.String())
	}
	for i := range 3000 {
		log.Warn("kind", "error", errors.New(strings.Repeat("x", i%100)+fmt.Sprint(strings.Repeat("y", i/100))))
	}
	if n := len(log.Handler().(*sampler).seen.all); n > sampleKinds {
		t.Errorf("%d kinds are remembered", n)
	}
}
