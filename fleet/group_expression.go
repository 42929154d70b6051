package fleet

import (
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
)

// maxExpressions is how many groups of an application can have an expression.
const maxExpressions = 200

// allowExpression checks a change of the expression or the priority of a group. It
// can move machines of every group, so the caller needs the role on the whole
// application.
func allowExpression(c *change.Change, was, is string) error {
	whole := *c
	whole.Groups = nil
	if err := whole.Allow(c.Name); err != nil {
		return err
	}
	if was == "" && is != "" && len(c.Config.SelectorGroups()) >= maxExpressions {
		return fault.Errorf(fault.Conflict, "expression", "the application has %d groups with an expression; at most %d", maxExpressions, maxExpressions)
	}
	return nil
}
