package graph

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/graph/generated"
	"github.com/coreroller/coreroller/graph/model"
)

// Limits of one document. The pages of the dashboard stay far below them.
const (
	// maxTokens limits the cost of parsing, which happens before any other check.
	// The introspection query of tools has about 400.
	maxTokens = 4000
	// maxDepth is the deepest nesting of fields.
	maxDepth = 12
	// maxComplexity is about the number of values in the largest response: 500
	// machines with 40 fields each, plus the rest of a page.
	maxComplexity = 40_000
	// maxDocument limits the request body, in bytes. A package with 100 files is
	// far smaller.
	maxDocument = 1 << 20
	// maxText limits the document itself, in bytes; the rest of a request are variables.
	// The longest document of the dashboard has 10 kB.
	maxText = 128 << 10
	// maxFields limits the fields of a document after its fragments are expanded.
	maxFields = 3000
	// maxRootFields limits the fields of the first level, so that one request is not a
	// hundred.
	maxRootFields = 50
	// maxValues limits the values in one answer, about 5 MB.
	maxValues = 200_000
)

// Costs of expensive fields, in units of complexity (one plain value).
const (
	costNumbers    = 30     // a few statements over counters
	costTimeline   = 500    // up to 720 points
	costExplain    = 100    // a transaction
	costSimulation = 10_000 // up to 200 ms of a core; maxComplexity allows four in one document
	listed         = 10     // assumed length of a list without paging, so that nested lists multiply
	listedFew      = 3      // the same for windows, of which policies have none or a few
	listedValues   = 100    // the same for what machines report: versions, errors
)

// complexity returns the cost of each field. A connection costs its children
// times its page size, with the default and maximum of the resolver. Other lists
// cost their children times listed, see costed.
func complexity() generated.ComplexityRoot {
	var c generated.ComplexityRoot
	page := func(child int, first *int) int {
		n, err := limit(first)
		if err != nil {
			n = maxFirst // the resolver rejects it
		}
		return 1 + child*max(n, 1)
	}
	after := func(child int, first *int, _ *string) int { return page(child, first) }
	reported := func(child int) int { return 1 + child*listedValues }
	costs := func(cost int) func(int) int { return func(child int) int { return cost + child } }

	c.Query.Instances = func(child int, _ *machines.Filter, first *int, _ *string, _ *model.InstanceOrder) int {
		return page(child, first)
	}
	c.MachineJob.Items = func(child int, _ *job.Result, first *int, _ *string) int { return page(child, first) }
	c.Query.MachineJobs = after
	c.Query.FailedDeliveries = page
	c.Query.Activities = func(child int, _ *view.ActivityFilter, first *int, _ *string, _ *model.OrderDirection) int {
		return page(child, first)
	}
	c.Query.Audits = func(child int, _ *view.AuditFilter, first *int, _ *string, _ *model.OrderDirection) int {
		return page(child, first)
	}
	c.Application.Packages = func(child int, _ *view.PackageFilter, first *int, _ *string) int { return page(child, first) }
	c.Rollout.FailedAttempts = func(child int, _ *view.FailureFilter, first *int, _ *string) int { return page(child, first) }
	c.Rollout.FailuresByAttribute = func(child int, _ *string, first *int) int { return costExplain + page(child, first) }
	c.Group.Rollouts, c.Instance.Attempts, c.Instance.History, c.Channel.Promotions = after, after, after, after

	c.GroupNumbers.ByVersion, c.Numbers.ByVersion = reported, reported
	c.GroupNumbers.Grants, c.GroupNumbers.Failures, c.Rollout.Failures = reported, reported, reported

	few := func(child int) int { return 1 + child*listedFew }
	c.Policy.Windows, c.Policy.RebootWindows = few, few
	c.Group.RebootSlots = costs(costNumbers)
	c.RebootSlots.Waiting = reported

	c.Application.RecentChecks = costs(costNumbers)
	c.Query.Fleet, c.Group.Numbers, c.Application.Numbers = costs(costNumbers), costs(costNumbers), costs(costNumbers)
	c.Group.CurrentHold, c.Notifier.AnswerTimes = costs(costNumbers), costs(costNumbers)
	c.Query.ExplainUpdate = func(child int, _ uuid.UUID) int { return costExplain + child }
	c.Query.Timeline = func(child int, _ uuid.UUID, _ model.TimelineRange) int { return costTimeline + child }
	c.Query.SimulateRollout = func(child int, _ model.SimulateRolloutInput) int { return costSimulation + child }
	c.Query.PolicyPreview = func(child int, _ model.PolicyPreviewInput) int { return costSimulation + child }
	c.Query.PromotionImpact = func(child int, _, _ uuid.UUID) int { return costSimulation + child }
	c.Query.ControlImpact = func(child int, _ uuid.UUID, _ view.Control) int { return costSimulation + child }
	c.Query.RollBackImpact = func(child int, _, _ *uuid.UUID, _ uuid.UUID, _ bool, _ catalog.Downgrade) int {
		return costSimulation + child
	}
	c.Query.MachineJobImpact = func(child int, _ machines.Filter, _ job.Order) int { return costSimulation + child }
	c.Query.MachineBreakdown = func(child int, _ *machines.Filter, _ string, _ *int) int { return costSimulation + child }
	c.Query.PreviewGroupExpression = func(child int, _ view.PreviewExpression) int { return costSimulation + child }
	c.Instance.Membership = costs(costExplain)
	c.Query.UpdatePath = func(child int, _ uuid.UUID, _ string) int { return 1 + child*listed }
	c.Query.DeletionImpact = func(child int, _, _, _, _ *uuid.UUID) int { return costSimulation + child }
	c.Rollout.ProjectedEnd = func(int) int { return costNumbers }
	return c
}
