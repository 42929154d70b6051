package input

import "github.com/coreroller/coreroller/fleet/selector"

// MaxPriority is the highest priority of an expression.
const MaxPriority = 10_000

// Expression compiles the expression of a group; nil for an empty text.
func (p *Problems) Expression(field, text string) *selector.Expression {
	if text = p.Text(field, text, selector.MaxLength); text == "" {
		return nil
	}
	e, err := selector.Compile(text)
	if err != nil {
		p.Add(field, "%s", err)
		return nil
	}
	return e
}

// Priority checks the priority of an expression.
func (p *Problems) Priority(field string, n int) {
	if n < 0 || n > MaxPriority {
		p.Add(field, "must be from 0 to %d", MaxPriority)
	}
}
