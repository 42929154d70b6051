package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

const (
	// attemptCookie holds the attempt of this browser. A second one replaces it.
	attemptCookie = "coreroller_sign_in"
	// attemptLife is the time to sign in at the provider, with a second factor.
	attemptLife = 10 * time.Minute
)

// attempt is a sign-in that has begun. It is in a cookie of the browser, so that any process can
// finish it, and only in this browser.
type attempt struct {
	Provider string `json:"p"`
	State    string `json:"s"` // the provider sends it back with the code
	Nonce    string `json:"n"` // the provider signs it
	Verifier string `json:"v"` // of PKCE (RFC 7636); the provider has its hash
	To       string `json:"t"` // local path to open afterwards
	Until    int64  `json:"u"` // Unix time
}

func newAttempt(provider, to string, now time.Time) attempt {
	return attempt{
		Provider: provider, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		To: to, Until: now.Add(attemptLife).Unix(),
	}
}

// cookie sends the attempt with requests to /auth/ only, and with the provider's redirect, which
// comes from another site: SameSite is therefore not strict.
func (a attempt) cookie(secure bool) *http.Cookie {
	text, _ := json.Marshal(a) // strings and a number
	//nolint:gosec // G124: Secure over TLS, which the server may not have
	return &http.Cookie{
		Name: attemptCookie, Value: base64.RawURLEncoding.EncodeToString(text), Path: Prefix, MaxAge: int(attemptLife / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// clearAttempt deletes the cookie: an attempt is used once.
func clearAttempt(w http.ResponseWriter, secure bool) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: the same attributes as the cookie that it deletes
		Name: attemptCookie, Path: Prefix, MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}

// attemptOf returns the attempt of a browser that comes back from a provider. It is false if the
// browser has none, or began another one.
func attemptOf(r *http.Request, provider string, now time.Time) (a attempt, ok bool) {
	c, err := r.Cookie(attemptCookie)
	if err != nil {
		return a, false
	}
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(text, &a) != nil {
		return attempt{}, false
	}
	same := subtle.ConstantTimeCompare([]byte(a.State), []byte(r.URL.Query().Get("state"))) == 1
	if a.Provider != provider || a.State == "" || a.Nonce == "" || a.Verifier == "" || !same || now.Unix() >= a.Until {
		return attempt{}, false
	}
	a.To = localPath(a.To)
	return a, true
}
