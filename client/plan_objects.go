package client

import (
	"context"
	"fmt"
	"maps"
)

// How packages, channels and groups of a file are made and changed.

var packageFields = []string{"type", "url", "filename", "size", "sha1", "sha256", "description", "files"}

func (p *plan) pkg(app, self string, want, have object) step {
	if have == nil {
		input := pickFields(want, append([]string{"version"}, packageFields...))
		input["arch"] = archOf(want)
		if _, has := input["type"]; !has {
			input["type"] = "OTHER"
		}
		return step{mutations: []mutation{{
			change: change{mutation: "createPackage", input: input}, result: "package", makes: self,
			refs: map[string]string{"applicationId": key("application", app)},
		}}}
	}
	changed, lines := differences(want, have, packageFields...)
	if len(lines) == 0 {
		return step{}
	}
	changed["reason"] = p.reason
	return step{Changes: lines, mutations: []mutation{{
		change: change{mutation: "updatePackage", input: changed}, result: "package", refs: map[string]string{"id": self},
	}}}
}

func (p *plan) channel(ctx context.Context, s *session, app, self string, want, have object) (step, error) {
	var st step
	changed, lines := differences(want, have, "color", "requireApproval")
	if have == nil {
		input := pickFields(want, []string{"name", "color"})
		input["arch"] = archOf(want)
		st.mutations = append(st.mutations, mutation{
			change: change{mutation: "createChannel", input: input}, result: "channel", makes: self,
			refs: map[string]string{"applicationId": key("application", app)},
		})
		delete(changed, "color")
		if changed["requireApproval"] == false {
			delete(changed, "requireApproval")
		}
	}
	before, after, moves, err := p.lists(app, self, want, have)
	if err != nil {
		return st, err
	}
	lines = append(lines, moves...)
	st.mutations = append(st.mutations, before...)
	// A promotion comes before the approval that it would need.
	if _, moved := differences(want, have, "package"); len(moved) > 0 {
		lines = append(lines, moved...)
		promote := mutation{
			change: change{mutation: "promotePackage", input: object{"reason": p.reason}}, result: "channel",
			refs: map[string]string{"channelId": self},
		}
		if version := text(want, "package"); version != "" {
			promote.refs["packageId"] = key("package", app, archOf(want), version)
			if st.Effect, err = s.promotionReach(ctx, p.ids[self], p.ids[promote.refs["packageId"]]); err != nil {
				return st, err
			}
		} else {
			promote.input["packageId"] = nil
		}
		st.mutations = append(st.mutations, promote)
	}
	st.mutations = append(st.mutations, after...)
	if len(changed) > 0 {
		changed["reason"] = p.reason
		st.mutations = append(st.mutations, mutation{
			change: change{mutation: "updateChannel", input: changed}, result: "channel", refs: map[string]string{"id": self},
		})
	}
	st.Changes = lines
	return st, nil
}

// promotionReach is the effect of a promotion on machines; "" if the file makes the
// channel or the package.
func (s *session) promotionReach(ctx context.Context, channel, pkg string) (string, error) {
	if channel == "" || pkg == "" {
		return "", nil
	}
	answer, err := read[struct{ Impact impact }](ctx, s,
		`query($channel: ID!, $package: ID!) { impact: promotionImpact(channelId: $channel, packageId: $package) { `+impactFields+` } }`,
		map[string]any{"channel": channel, "package": pkg})
	return answer.Impact.Sentence, err
}

func (p *plan) group(ctx context.Context, s *session, app, self string, want, have object) (step, error) {
	var st step
	channel := text(want, "channel")
	policy, hasPolicy := want["policy"].(object)
	if hasPolicy {
		if _, paused := policy["updatesEnabled"]; paused {
			return st, usage("group %s/%s: policy.updatesEnabled is no configuration: use coreroller pause and resume", app, text(want, "name"))
		}
	}
	changed, lines := differences(want, have, "track", "aliases", "description", "requireApproval", "expression", "priority")
	_, follows := differences(want, have, "channel")
	st.Changes = append(lines, follows...)
	refs := map[string]string{}
	if channel != "" {
		refs["channelId"] = key("channel", app, archOf(want), channel)
	}
	if have == nil {
		input := pickFields(want, []string{"name", "track", "aliases", "description", "expression", "priority", "policy"})
		input["arch"] = archOf(want)
		refs["applicationId"] = key("application", app)
		st.mutations = append(st.mutations, mutation{change: change{mutation: "createGroup", input: input}, result: "group", makes: self, refs: refs})
		if want["requireApproval"] == true {
			st.mutations = append(st.mutations, p.updateGroup(self, object{"requireApproval": true}, nil))
		}
		if hasPolicy {
			preview, err := s.previewPolicy(ctx, app, want, "")
			st.Effect = preview.Sentence
			return st, err
		}
		return st, nil
	}
	if hasPolicy {
		preview, err := s.previewPolicy(ctx, app, want, p.ids[self])
		if err != nil {
			return st, err
		}
		if len(preview.Changes) > 0 {
			st.Changes = append(st.Changes, preview.Changes...)
			if preview.Impact != nil {
				st.Effect = preview.Impact.Sentence
			}
			st.mutations = append(st.mutations, mutation{
				change: change{mutation: "updatePolicy", input: object{"policy": policy, "reason": p.reason}}, result: "group",
				refs: map[string]string{"groupId": self},
			})
		}
	}
	if len(follows) > 0 && channel == "" {
		changed["channelId"] = nil
	}
	if len(follows) == 0 {
		refs = nil
	}
	if len(changed) > 0 || len(refs) > 0 {
		st.mutations = append(st.mutations, p.updateGroup(self, changed, refs))
	}
	return st, nil
}

// updateGroup changes a group after its policy, because a change may make approvals
// required.
func (p *plan) updateGroup(self string, changed object, refs map[string]string) mutation {
	changed["reason"] = p.reason
	all := map[string]string{"id": self}
	maps.Copy(all, refs)
	return mutation{change: change{mutation: "updateGroup", input: changed}, result: "group", refs: all}
}

// policyPreview is what the server says about a policy of the file.
type policyPreview struct {
	Changes  []string
	Sentence string
	Impact   *impact
}

// previewPolicy lets the server check and compare a policy, so that "1 hour" and PT1H
// are the same. Without a group it is the policy of a new one.
func (s *session) previewPolicy(ctx context.Context, app string, want object, group string) (policyPreview, error) {
	input := object{"policy": want["policy"]}
	if group != "" {
		input["groupId"] = group
	}
	answer, err := read[struct{ PolicyPreview policyPreview }](ctx, s,
		`query($input: PolicyPreviewInput!) { policyPreview(input: $input) { changes sentence impact { `+impactFields+` } userErrors { code field message } } }`,
		map[string]any{"input": input})
	if err != nil {
		err = fmt.Errorf("group %s/%s: %w", app, text(want, "name"), err)
	}
	return answer.PolicyPreview, err
}
