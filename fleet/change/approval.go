package change

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
)

// Step is a part of a change for which another person's approval is required.
type Step struct {
	Summary string   // such as: promote 4501.0.0 to channel beta
	Changes []string // each as phrase.Change

	Channel, Group, Package, Instance uuid.UUID // what it concerns; zero: none
}

// Trial is what a verb would do, with the steps that need an approval.
type Trial struct {
	Verb  Verb
	Steps []Step
}

// Approval lets a change do what needs an approval. Its functions run in the transaction
// and can refuse: Check under the locks, before anything is changed, Allow each step that
// needs an approval, and Done the end.
type Approval struct {
	Check func(*Change) error
	Allow func(Step) error
	Done  func(*Change) error
}

// errTried ends a verb that was only tried.
var errTried = errors.New("the change was only tried")

type (
	trialKey    struct{}
	approvalKey struct{}
)

// Try runs a verb without changing anything. verb gets a context with which its changes
// are only tried. Errors are those that the verb would return.
func Try(ctx context.Context, verb func(context.Context) error) (*Trial, error) {
	t := new(Trial)
	err := verb(context.WithValue(ctx, trialKey{}, t))
	if errors.Is(err, errTried) {
		return t, nil
	}
	if err == nil {
		err = fault.Errorf(fault.Conflict, "", "it would change nothing: what you propose is so already")
	}
	return nil, err
}

// Approve returns a context with which a verb may do what needs an approval.
func Approve(ctx context.Context, a *Approval) context.Context {
	return context.WithValue(ctx, approvalKey{}, a)
}

func trialOf(ctx context.Context) *Trial {
	t, _ := ctx.Value(trialKey{}).(*Trial)
	if t != nil {
		t.Steps = nil // a verb is repeated after a conflict
	}
	return t
}

func approvalOf(ctx context.Context) *Approval {
	a, _ := ctx.Value(approvalKey{}).(*Approval)
	return a
}

// NeedApproval refuses a step unless it was approved.
func (c *Change) NeedApproval(s Step) error {
	if a := approvalOf(c.Ctx); a != nil {
		return a.Allow(s)
	}
	if c.trial != nil {
		c.trial.Steps = append(c.trial.Steps, s)
		return nil
	}
	return fault.Errorf(fault.ApprovalRequired, "", "this needs the approval of another person: propose it (%s)", s.Summary)
}

// Suggest lets a step be proposed that needs no approval: an assistant, or a person who
// is not sure, can leave it to another one.
func (c *Change) Suggest(s Step) error {
	if c.trial == nil && approvalOf(c.Ctx) == nil {
		return nil
	}
	return c.NeedApproval(s)
}

// settle ends a trial or an approval.
func (c *Change) settle() error {
	if c.trial != nil {
		c.trial.Verb = c.Verb
		return errTried
	}
	if a := approvalOf(c.Ctx); a != nil {
		return a.Done(c)
	}
	return nil
}
