package reboot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// zincati is the application id with which Zincati derives the id of a machine, as
// `systemd-id128 machine-id -a` does.
var zincati = uuid.MustParse("de35106b-6ec2-4688-b63a-fddaa156679b")

// MaxClientID is the longest id of a client in bytes. Zincati's has 32; others send
// the name of the host, which has up to 253.
const MaxClientID = 253

// ValidClientID reports whether a client may have this id: printable text.
func ValidClientID(id string) bool {
	if id == "" || len(id) > MaxClientID || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// Forms returns the texts that a machine with the id of a client may have sent: the id
// itself, and if it is one of 128 bits, with and without dashes, in braces and in both
// cases.
func Forms(client string) []string {
	all := []string{client}
	id, ok := machineID(client)
	if !ok {
		return all
	}
	dashed := id.String()
	plain := strings.ReplaceAll(dashed, "-", "")
	for _, form := range []string{plain, dashed, "{" + dashed + "}"} {
		all = append(all, form, strings.ToUpper(form))
	}
	slices.Sort(all[1:])
	return slices.Compact(all)
}

// Derived returns the id that Zincati sends for a machine; ok is false if the id of the
// machine has not 128 bits.
func Derived(machine string) (id string, ok bool) {
	key, ok := machineID(machine)
	if !ok {
		return "", false
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write(zincati[:])
	sum := mac.Sum(nil)[:16]
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	return hex.EncodeToString(sum), true
}

// derivable reports whether Derived may have returned an id: 32 hexadecimal digits of a
// random UUID.
func derivable(client string) bool {
	id, ok := machineID(client)
	return ok && len(client) == 32 && id.Version() == 4 && id.Variant() == uuid.RFC4122
}

// machineID reads an id of 128 bits in the forms of Forms.
func machineID(text string) (uuid.UUID, bool) {
	if len(text) == 45 { // urn:uuid:
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}
