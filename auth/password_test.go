package auth

import (
	"slices"
	"strings"
	"testing"
)

func TestPasswordsAreHashedAndChecked(t *testing.T) {
	hash, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %s", hash)
	}
	for password, want := range map[string]bool{"correct horse": true, "Correct horse": false, "": false, "correct horse\x00": false} {
		if ok, err := CheckPassword(hash, password); ok != want || err != nil {
			t.Errorf("%q: %v %v", password, ok, err)
		}
	}
	again, err := HashPassword("correct horse")
	if err != nil || again == hash {
		t.Error("two hashes of one password are equal: the salt is missing")
	}
	// Generated with the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 24
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := CheckPassword(reference, "password"); !ok || err != nil {
		t.Errorf("hash of the reference implementation: %v %v", ok, err)
	}
}

func TestInvalidHashesReturnAnError(t *testing.T) {
	for _, hash := range []string{
		"plain", "$2a$10$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
		"$argon2id$v=18$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8", "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
		"$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=19456,t=2,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
	} {
		if ok, err := CheckPassword(hash, "password"); ok || err == nil {
			t.Errorf("%s: %v %v", hash, ok, err)
		}
	}
}

// Response times must not reveal which names exist: a check computes one key of the same
// cost for an unknown user as for a known one.
func TestUnknownUsersTakeAsLongAsKnownOnes(t *testing.T) {
	hash, err := HashPassword("x")
	if err != nil {
		t.Fatal(err)
	}
	type cost struct {
		password, salt     int
		time, memory, size uint32
		threads            uint8
	}
	var spent []cost
	derive := idKey
	t.Cleanup(func() { idKey = derive })
	idKey = func(password, salt []byte, time, memory uint32, threads uint8, size uint32) []byte {
		spent = append(spent, cost{len(password), len(salt), time, memory, size, threads})
		return derive(password, salt, time, memory, threads, size)
	}
	work := func(hash string) []cost {
		spent = nil
		if ok, err := CheckPassword(hash, "wrong"); ok || err != nil {
			t.Fatal(ok, err)
		}
		return spent
	}
	known, unknown := work(hash), work("")
	if len(known) != 1 || !slices.Equal(known, unknown) {
		t.Errorf("a known user costs %+v, an unknown one %+v", known, unknown)
	}
}
