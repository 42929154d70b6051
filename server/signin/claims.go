package signin

import "strings"

// claims are the contents of an ID token or of the userinfo endpoint.
type claims map[string]any

// at returns the value at a path such as realm_access.roles. A claim whose name is the whole path
// comes first, because some providers use URLs as names.
func (c claims) at(path string) (any, bool) {
	if v, ok := c[path]; ok {
		return v, true
	}
	first, rest, nested := strings.Cut(path, ".")
	inner, ok := c[first].(map[string]any)
	if !nested || !ok {
		return nil, false
	}
	return claims(inner).at(rest)
}

// texts returns the texts of a claim that is one text or a list of texts.
func (c claims) texts(path string) []string {
	v, _ := c.at(path)
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}

// username returns the text of a claim, and the email address if there is none. An address that
// the provider has not verified could be one of another person.
func (c claims) username(claim string) string {
	if all := c.texts(claim); len(all) > 0 && all[0] != "" && (claim != emailClaim || c.verified()) {
		return all[0]
	}
	if all := c.texts(emailClaim); len(all) > 0 && c.verified() {
		return all[0]
	}
	return ""
}

const emailClaim = "email"

// verified reports whether the provider does not say that the email address is not verified.
func (c claims) verified() bool {
	v, there := c["email_verified"]
	return !there || v == true || v == "true"
}
