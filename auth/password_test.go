package auth

import (
	"strings"
	"testing"
	"time"
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

// Response times must not reveal which names exist.
func TestUnknownUsersTakeAsLongAsKnownOnes(t *testing.T) {
	hash, err := HashPassword("x")
	if err != nil {
		t.Fatal(err)
	}
	duration := func(hash string) time.Duration {
		start := time.Now()
		if ok, err := CheckPassword(hash, "wrong"); ok || err != nil {
			t.Fatal(ok, err)
		}
		return time.Since(start)
	}
	known, unknown := time.Hour, time.Hour
	for range 5 { // in turns, because the load of the machine changes
		known, unknown = min(known, duration(hash)), min(unknown, duration(""))
	}
	if unknown < known/2 || known < unknown/2 {
		t.Errorf("a known user takes %v, an unknown one %v", known, unknown)
	}
}
