package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// A device cookie marks a browser in which a user signed in before. It is no credential:
// it only gives the browser's attempts a limit and a lane of their own, so that guessers
// cannot keep its user out (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).
const (
	deviceCookie = "coreroller_device_"
	deviceLife   = 180 * 24 * time.Hour
)

// knownKey is the key of a context whose caller proved a password before.
type knownKey struct{}

// Known reports whether a password check is made for a caller that is known: by a device
// cookie, or because the same password was right before. It need not wait for others.
func Known(ctx context.Context) bool {
	known, _ := ctx.Value(knownKey{}).(bool)
	return known
}

func withKnown(ctx context.Context) context.Context { return context.WithValue(ctx, knownKey{}, true) }

// deviceName is the name of the cookie of a user. Several users can share a browser.
func deviceName(username string) string {
	sum := sha256.Sum256([]byte(username))
	return deviceCookie + hex.EncodeToString(sum[:8])
}

// device returns what identifies the known browser of a user, "" for none. A cookie of
// another user, or one that is older than the password, is none.
func (g *Guard) device(ctx context.Context, username string) string {
	info := requestOf(ctx)
	if info.r == nil {
		return ""
	}
	c, err := info.r.Cookie(deviceName(username))
	if err != nil {
		return ""
	}
	id, signature, _ := strings.Cut(c.Value, ".")
	key, err := g.options.Directory.DeviceKey(ctx, username)
	if err != nil || len(key) == 0 || !hmac.Equal([]byte(signature), []byte(signDevice(key, id))) {
		return ""
	}
	return id
}

func signDevice(key []byte, id string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("device " + id))
	return hex.EncodeToString(mac.Sum(nil))
}

// RememberDevice marks the browser of a request as known to a user who proved the
// password. Without it the user can sign in as well, so a fault is no error.
func (g *Guard) RememberDevice(ctx context.Context, username string) {
	info := requestOf(ctx)
	w, err := info.cookieWriter()
	if err != nil {
		return
	}
	key, err := g.options.Directory.DeviceKey(ctx, username)
	if err != nil || len(key) == 0 {
		return
	}
	id := rand.Text()
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure over TLS, which the server may not have
		Name: deviceName(username), Value: id + "." + signDevice(key, id), Path: "/", Expires: g.options.Now().Add(deviceLife),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: info.secure,
	})
}
