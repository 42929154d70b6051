package api

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestCertificateOfAServer(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	encrypted, plain := httptest.NewTLSServer(answer), httptest.NewServer(answer)
	defer encrypted.Close()
	defer plain.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	trusted := &Server{URL: encrypted.URL, CAFile: file}
	defer trusted.Close()
	if got, err := trusted.Certificate(t.Context()); err != nil || !got.Equal(encrypted.Certificate()) {
		t.Error(got, err)
	}
	unknown := &Server{URL: encrypted.URL}
	defer unknown.Close()
	if got, err := unknown.Certificate(t.Context()); err == nil {
		t.Error(got)
	}
	open := &Server{URL: plain.URL}
	defer open.Close()
	if got, err := open.Certificate(t.Context()); got != nil || err != nil {
		t.Error(got, err)
	}
}
