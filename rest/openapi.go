package rest

import (
	_ "embed"
	"net/http"
)

// description is the API in OpenAPI 3.1.
//
//go:embed openapi.json
var description []byte

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description)
}
