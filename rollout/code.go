package rollout

import (
	"fmt"
	"strconv"
	"strings"
)

// codeMask keeps the code and drops the flags that the OS daemon ORs into the
// upper bits: 28 not the built-in server, 29 test image, 30 resumed, 31
// developer mode, which makes the decimal negative.
const codeMask = 0x0FFFFFFF

// codeHTTP is the first of the codes that carry an HTTP status.
const codeHTTP = 2000

// ReduceCode reads an errorcode attribute: a signed decimal, of which the low
// 28 bits of the unsigned 32-bit value are the code. Empty or other text is 0.
func ReduceCode(text string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return int(uint32(n) & codeMask)
}

// DescribeCode is a reduced error code of the OS daemon in words, with the
// number.
func DescribeCode(code int) string {
	if words := CodeWords(code); words != "" {
		return fmt.Sprintf("%s (code %d)", words, code)
	}
	return fmt.Sprintf("code %d", code)
}

// CodeWords is a reduced error code of the OS daemon in words, without the
// number; "" for one that nobody knows.
func CodeWords(code int) string {
	words := [...]string{
		0: "no code", 1: "error", 2: "request", 3: "response handler", 4: "filesystem copy", 5: "postinstall step",
		7: "opening the target device", 8: "opening the kernel", 9: "download transfer", 10: "payload hash",
		11: "payload size", 12: "payload verification", 13: "partition info", 14: "write", 15: "new rootfs hash",
		16: "new kernel hash", 17: "signature expected, none there", 18: "signature wrong",
		19: "booted from firmware B", 20: "resume state", 21: "magic", 22: "signature missing in manifest",
		23: "manifest parse", 24: "metadata signature", 25: "metadata signature", 26: "metadata signature",
		27: "operation hash", 28: "operation execution", 29: "operation hash", 30: "empty response",
		31: "response not XML", 32: "metadata size", 33: "metadata signature", 34: "response invalid",
		35: "ignored by policy", 36: "deferred by policy", 37: "HTTP error", 38: "hash missing",
		39: "signature missing", 40: "deferred by backoff", 41: "powerwash", 42: "PCR policy", 43: "PCR policy",
		44: "rolled back",
	}
	switch {
	case code >= 0 && code < len(words):
		return words[code]
	case code == codeHTTP:
		return "no connection for the update check"
	case code > codeHTTP && code < codeHTTP+1000:
		return fmt.Sprintf("the update check got HTTP status %d", code-codeHTTP)
	}
	return ""
}
