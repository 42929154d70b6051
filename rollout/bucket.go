package rollout

import (
	"crypto/sha256"
	"encoding/binary"
)

// Bucket returns the position of a machine in the order of a rollout: the first 8
// bytes of SHA-256(salt + machine id), big-endian, as a fraction in [0, 1).
// A wave of share s contains the machines with a bucket below s, so a growing
// share never removes one.
func Bucket(salt, machine string) float64 {
	var buffer [128]byte // salts are UUIDs and machine ids at most 50 bytes: no allocation
	data := append(buffer[:0], salt...)
	data = append(data, machine...)
	sum := sha256.Sum256(data)
	// a float64 represents 53 bits exactly.
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}
