package rest

import (
	_ "embed"
	"net/http"
)

// description is the OpenAPI 3.1 description of the API.
//
//go:embed openapi.json
var description []byte

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description)
}
