package fleet

import (
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/reassign"
)

// maxExpressions is how many groups of an application can have an expression.
const maxExpressions = 200

// changeExpression checks a change of the expression or the priority of a group, and lets the
// walk begin. It can move machines of every group, so the caller needs the role on the whole
// application.
func changeExpression(c *change.Change, was, is string) error {
	whole := *c
	whole.Groups = nil
	if err := whole.Allow(c.Name); err != nil {
		return err
	}
	if was == "" && is != "" && len(c.Config.SelectorGroups()) >= maxExpressions {
		return fault.Errorf(fault.Conflict, "expression", "the application has %d groups with an expression; at most %d", maxExpressions, maxExpressions)
	}
	// The walk must know of expressions that are removed before it began: check-ins can have
	// placed machines by them.
	return reassign.Restart(c.Ctx, c.Tx, c.Config, c.Now)
}
