package signin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
)

// Rule gives the people with a value a role.
type Rule struct {
	Value string // of the claim, or ORG/TEAM
	Role  auth.Role
	Team  string // name; "" for every team
}

// Mapping is a list of rules. All that match apply.
type Mapping struct {
	Rules      []Rule
	IgnoreCase bool // of the values
}

// ParseRule reads a rule of the form VALUE=ROLE or VALUE=ROLE@TEAM. The value may contain "=".
func ParseRule(text string) (Rule, error) {
	for end := len(text); ; {
		i := strings.LastIndexByte(text[:end], '=')
		if i < 0 {
			return Rule{}, fmt.Errorf("%q is not of the form VALUE=ROLE or VALUE=ROLE@TEAM with a role of viewer, operator, publisher, admin, owner", text)
		}
		name, team, narrowed := strings.Cut(text[i+1:], "@")
		role, err := auth.ParseRole(strings.TrimSpace(name))
		if err != nil {
			end = i // part of the value, or of the team's name
			continue
		}
		r := Rule{Value: strings.TrimSpace(text[:i]), Role: role, Team: strings.TrimSpace(team)}
		switch {
		case r.Value == "":
			return r, fmt.Errorf("%q has no value before =", text)
		case narrowed && r.Team == "":
			return r, fmt.Errorf("%q has no team after @", text)
		case r.Team != "" && r.Role == auth.Owner:
			return r, errors.New("an owner has no team: the role is for the whole installation")
		}
		return r, nil
	}
}

// String is the form that ParseRule reads.
func (r Rule) String() string {
	if r.Team == "" {
		return r.Value + "=" + r.Role.String()
	}
	return r.Value + "=" + r.Role.String() + "@" + r.Team
}

// rights returns what the rules give to a list of values.
func (m Mapping) rights(values []string) []account.TeamRole {
	var all []account.TeamRole
	for _, rule := range m.Rules {
		for _, v := range values {
			if v == rule.Value || m.IgnoreCase && strings.EqualFold(v, rule.Value) {
				all = append(all, account.TeamRole{Role: rule.Role, Team: rule.Team})
				break
			}
		}
	}
	return all
}
