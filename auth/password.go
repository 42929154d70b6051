package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: argon2id with 19 MiB, two passes and one lane, which
// OWASP's password storage cheat sheet recommends for little memory. One hash
// takes about 40 ms of a core. Callers limit how many run at once.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32 // bytes
	argonSalt    = 16 // bytes
)

// Upper bounds for the parameters of a stored hash. A hash with huge parameters
// in the database must not be able to exhaust the server.
const (
	maxArgonMemory = 256 * 1024 // KiB
	maxArgonTime   = 16
	maxArgonKey    = 64
)

// errHash is returned for a stored hash with the wrong format.
var errHash = errors.New("password hash is not argon2id in the PHC string format")

// HashPassword returns the hash to store: argon2id in the PHC string format
// (https://github.com/P-H-C/phc-string-format), with a random salt.
func HashPassword(password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("generate a salt: %w", err)
	}
	h := argonHash{memory: argonMemory, time: argonTime, threads: argonThreads, salt: salt}
	h.key = h.derive(password, argonKey)
	return h.String(), nil
}

// CheckPassword reports whether password matches hash. Pass an empty hash for a
// user that does not exist: it matches nothing and takes as long as a real one,
// so that response times do not reveal which names exist.
func CheckPassword(hash, password string) (bool, error) {
	if hash == "" {
		h := argonHash{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, argonSalt)}
		h.derive(password, argonKey)
		return false, nil
	}
	h, err := parseArgon(hash)
	if err != nil {
		return false, err
	}
	key := h.derive(password, uint32(len(h.key))) //nolint:gosec // at most maxArgonKey
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}

// argonHash is a hash and its parameters.
type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// derive computes the key of a password: nearly all the time that a check takes.
func (h argonHash) derive(password string, length uint32) []byte {
	return idKey([]byte(password), h.salt, h.time, h.memory, h.threads, length)
}

// idKey is a variable for the test that compares the work of checks.
var idKey = argon2.IDKey

func (h argonHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

func parseArgon(text string) (h argonHash, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil || n != 3 {
		return h, errHash
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	h.salt, h.key = salt, key
	switch {
	case err1 != nil, err2 != nil, len(salt) < 8, len(key) < 16, len(key) > maxArgonKey,
		h.time < 1, h.time > maxArgonTime, h.memory < 8, h.memory > maxArgonMemory, h.threads < 1:
		return h, errHash
	}
	return h, nil
}
