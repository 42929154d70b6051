package catalog

import (
	"crypto/x509"
	"slices"
	"time"
)

// Certify checks the client certificate of a request to the group; nil: none was sent.
// Its chain and its usage were checked when the connection began. Its end is checked
// again here, because a connection can outlive it.
func (g *Group) Certify(c *x509.Certificate, machine string, now time.Time) Verdict {
	switch {
	case !g.RequireCertificate:
		return VerdictOK
	case c == nil:
		return VerdictCertificateMissing
	case now.After(c.NotAfter):
		return VerdictCertificateExpired
	case machine == "" || !certifies(c, machine):
		return VerdictCertificateOther
	}
	return VerdictOK
}

// certifies reports whether a certificate names a machine: by its common name, a DNS
// name or a URI. All are compared byte by byte, because machine ids that differ in case
// are different machines.
func certifies(c *x509.Certificate, machine string) bool {
	if c.Subject.CommonName == machine || slices.Contains(c.DNSNames, machine) {
		return true
	}
	for _, u := range c.URIs {
		if u.String() == machine {
			return true
		}
	}
	return false
}
