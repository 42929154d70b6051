package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/remote/payload"
)

// prefixes is a flag with a list of addresses and networks.
type prefixes []netip.Prefix

func (p *prefixes) String() string {
	parts := make([]string, len(*p))
	for i, prefix := range *p {
		parts[i] = prefix.String()
	}
	return strings.Join(parts, ",")
}

func (p *prefixes) Type() string { return "networks" }

func (p *prefixes) Set(text string) error {
	var all prefixes
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			address, err := netip.ParseAddr(part)
			if err != nil {
				return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", part)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		all = append(all, prefix.Masked())
	}
	*p = all
	return nil
}

// mirrorsFlag is a flag with "any", "none" or a list of machine ids.
type mirrorsFlag quota.Mirrors

func (m *mirrorsFlag) String() string {
	switch {
	case !m.Listed:
		return "any"
	case len(m.IDs) == 0:
		return "none"
	}
	return strings.Join(m.IDs, ",")
}

func (m *mirrorsFlag) Type() string { return "ids" }

func (m *mirrorsFlag) Set(text string) error {
	*m = mirrorsFlag{Listed: text != "any"}
	if text == "any" || text == "none" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			m.IDs = append(m.IDs, part)
		}
	}
	if len(m.IDs) == 0 {
		return errors.New("use any, none, or machine ids separated by commas")
	}
	return nil
}

// sourcesFlag is a flag with "none", or "public", addresses and networks.
type sourcesFlag payload.Sources

func (s *sourcesFlag) String() string {
	var parts []string
	if s.Public {
		parts = append(parts, "public")
	}
	if len(s.Networks) > 0 {
		parts = append(parts, (*prefixes)(&s.Networks).String())
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ",")
}

func (s *sourcesFlag) Type() string { return "networks" }

func (s *sourcesFlag) Set(text string) error {
	*s = sourcesFlag{}
	if strings.TrimSpace(text) == "none" {
		return nil
	}
	var networks []string
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "public" {
			s.Public = true
		} else {
			networks = append(networks, part)
		}
	}
	if err := (*prefixes)(&s.Networks).Set(strings.Join(networks, ",")); err != nil {
		return err
	}
	if !s.Public && len(s.Networks) == 0 {
		return errors.New("use none, or public, addresses and networks separated by commas")
	}
	return nil
}
