package rollout

import (
	"fmt"
	"strconv"
	"strings"
)

// codeMask removes the flags that update_engine sets in the upper bits: 28 not the
// built-in server, 29 test image, 30 resumed, 31 developer mode, which makes the
// decimal negative.
const codeMask = 0x0FFFFFFF

// Codes from here on contain an HTTP status: 2000 + status.
const codeHTTP = 2000

// ReduceCode parses an errorcode attribute: a signed decimal, of which the low 28
// bits of the unsigned 32-bit value are the code. It returns 0 for other text.
func ReduceCode(text string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return int(n & codeMask)
}

// checkFailed reports whether an error code is about the update check and not about
// the package: no usable response (HTTP errors, 30, 31, 34, 37), or a response
// that the machine put off (35, 36, 40).
func checkFailed(code int) bool {
	switch code {
	case 30, 31, 34, 35, 36, 37, 40:
		return true
	}
	return isHTTP(code)
}

func isHTTP(code int) bool { return code >= codeHTTP && code < codeHTTP+1000 }

// CheckFailed reports whether the event is a failed update check, which says nothing
// about the package.
func (e Event) CheckFailed() bool {
	return e.Type == EventUpdateComplete && e.Result == ResultError && checkFailed(e.Code)
}

// DescribeCode returns the text for an update_engine error code, followed by the
// code.
func DescribeCode(code int) string {
	if text := CodeText(code); text != "" {
		return fmt.Sprintf("%s (code %d)", text, code)
	}
	return fmt.Sprintf("code %d", code)
}

// nameCode returns an error code and its text, such as "code 10: payload hash does not
// match".
func nameCode(code int) string {
	if text := CodeText(code); text != "" {
		return fmt.Sprintf("code %d: %s", code, text)
	}
	return fmt.Sprintf("code %d", code)
}

// CodeText returns the text for an update_engine error code, "" if it is unknown.
func CodeText(code int) string {
	texts := [...]string{
		0: "no error code", 1: "unspecified error", 2: "update request failed", 3: "response could not be handled",
		4: "file system copy failed", 5: "post-install step failed", 7: "target device could not be opened",
		8: "kernel device could not be opened", 9: "download failed", 10: "payload hash does not match",
		11: "payload size does not match", 12: "payload verification failed", 13: "partition information is invalid",
		14: "write failed", 15: "new root file system does not match its hash", 16: "new kernel does not match its hash",
		17: "payload has no signature", 18: "payload signature is invalid", 19: "booted from firmware B",
		20: "download could not be resumed", 21: "payload format is unknown", 22: "manifest has no signature",
		23: "manifest is invalid", 24: "metadata signature could not be read", 25: "metadata signature could not be verified",
		26: "metadata signature does not match", 27: "operation hash could not be verified", 28: "operation failed",
		29: "operation hash does not match", 30: "response is empty", 31: "response is not XML", 32: "metadata size is invalid",
		33: "metadata signature is invalid", 34: "response is invalid", 35: "ignored by policy", 36: "deferred by policy",
		37: "HTTP error", 38: "operation hash is missing", 39: "metadata signature is missing", 40: "deferred by backoff",
		41: "powerwash failed", 42: "PCR policy could not be verified", 43: "PCR policy could not be downloaded", 44: "rolled back",
	}
	switch {
	case code >= 0 && code < len(texts):
		return texts[code]
	case code == codeHTTP:
		return "no connection for the update check"
	case isHTTP(code):
		return fmt.Sprintf("the update check got HTTP status %d", code-codeHTTP)
	}
	return ""
}
