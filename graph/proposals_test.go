package graph_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
)

// publisher creates a user and returns a caller with its password.
func (s *site) publisher(t testing.TB, name string) *caller {
	t.Helper()
	s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: password, Role: auth.Publisher})))
	return &caller{site: s, t: t, prepare: func(r *http.Request) { r.SetBasicAuth(name, password) }}
}

const (
	proposeDocument = `mutation($in: ProposeInput!) { propose(input: $in) {
		proposal { id summary verb changes reason state createdBy expiresAt current own undecidable channel { name } package { version } impact { groups sentence } }
		userErrors { code field message } } }`
	approveDocument = `mutation($in: DecideProposalInput!) { approveProposal(input: $in) {
		proposal { state decidedBy decision impact { groups } channel { package { version } } } userErrors { code field message } } }`
)

func TestProposalIsApprovedThroughTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ann, ben := s.publisher(t, "ann"), s.publisher(t, "ben")
		s.must(second(s.UpdateChannel(s.ctx, fleet.UpdateChannel{ID: s.channel, RequireApproval: new(true)})))
		next := s.release("9.0.0")
		open := ben.dial()
		open.subscribe("1", `subscription { proposalsChanged { snapshot open proposals { summary undecidable own } } }`, nil)
		want(t, open.next(), "snapshot", true, "open", 0.0, "proposals", []any{})

		promotion := vars{"channelId": s.channel, "packageId": next, "reason": "fixes the boot"}
		refused := ann.get(`mutation($in: PromotePackageInput!) { promotePackage(input: $in) { channel { id } userErrors { code message } } }`, vars{"in": promotion})
		want(t, refused, "channel", nil, "userErrors.0.code", "APPROVAL_REQUIRED")

		made := ann.get(proposeDocument, vars{"in": vars{"promotePackage": promotion}})
		want(t, made, "proposal.summary", "promote 9.0.0 to channel stable", "proposal.verb", "promotePackage", "proposal.state", "OPEN",
			"proposal.createdBy", "ann", "proposal.current", true, "proposal.own", true, "proposal.package.version", "9.0.0", "proposal.impact.groups", 1.0)
		want(t, open.next(), "snapshot", false, "open", 1.0, "proposals.0.undecidable", nil, "proposals.0.own", false)
		id := at(t, made, "proposal.id")
		want(t, ann.get(approveDocument, vars{"in": vars{"id": id}}), "proposal", nil, "userErrors.0.code", "FORBIDDEN")
		want(t, ben.get(approveDocument, vars{"in": vars{"id": id, "reason": "seen on canary"}}), "proposal.state", "APPROVED",
			"proposal.decidedBy", "ben", "proposal.impact", nil, "proposal.channel.package.version", "9.0.0")
		want(t, open.next(), "open", 0.0)
		list := ann.get(`{ proposals(first: 5) { nodes { id state } totalCount } }`, nil)
		want(t, list, "totalCount", 1.0, "nodes.0.state", "APPROVED")
	})
}

func TestPolicyAndExpiryOfAProposal(t *testing.T) {
	s := oneSite(t)
	ann := s.publisher(t, "ann")
	s.publisher(t, "ben")
	s.must(second(s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, RequireApproval: new(true)})))
	made := ann.get(proposeDocument, vars{"in": vars{"expiresIn": "PT1H", "updatePolicy": vars{"groupId": s.group, "policy": vars{"maxUpdatesPerPeriod": 900, "maxConcurrentUpdates": 900}, "reason": "faster"}}})
	lines, _ := at(t, made, "proposal.changes").([]any)
	if len(lines) != 2 || !strings.Contains(lines[0].(string), " → ") {
		t.Errorf("changes %v", lines)
	}
	expires, err := time.Parse(time.RFC3339, at(t, made, "proposal.expiresAt").(string))
	if left := expires.Sub(s.now()); err != nil || left < 50*time.Minute || left > 61*time.Minute {
		t.Errorf("expires at %v, %v", expires, err)
	}
	want(t, ann.get(proposeDocument, vars{"in": vars{"expiresIn": "PT1S", "resumeUpdates": vars{"groupId": s.group, "reason": "x"}}}), "userErrors.0.field", "expiresIn")
	want(t, ann.get(proposeDocument, vars{"in": vars{}}), "userErrors.0.code", "INVALID")
}

func TestAuthorsTokenCannotApprove(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ann, ben := s.publisher(t, "ann"), s.publisher(t, "ben")
		s.must(second(s.UpdateChannel(s.ctx, fleet.UpdateChannel{ID: s.channel, RequireApproval: new(true)})))
		_, secret, err := s.Accounts.CreateToken(s.ctx, account.CreateToken{Username: "ann", Name: "ci", ExpiresAt: s.now().Add(time.Hour)})
		s.must(err)
		script := &caller{site: s, t: t, prepare: bearer(secret)}
		in := vars{"in": vars{"promotePackage": vars{"channelId": s.channel, "packageId": s.release("9.0.0"), "reason": "fixes the boot"}}}
		made := script.get(proposeDocument, in)
		id := at(t, made, "proposal.id")
		for name, c := range map[string]*caller{"the author's token": script, "the author": ann} {
			if r := c.get(approveDocument, vars{"in": vars{"id": id}}); at(t, r, "userErrors.0.code") != "FORBIDDEN" {
				t.Errorf("%s: %v", name, r)
			}
		}
		want(t, ben.get(approveDocument, vars{"in": vars{"id": id}}), "proposal.state", "APPROVED")
	})
}
