package graph

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/graph/generated"
	"github.com/coreroller/coreroller/graph/model"
)

// Resolver resolves fields. Reads are calls of the view, mutations of the fleet.
type Resolver struct {
	Options
	fleet *fleet.Service // Options.Fleet, hidden by the resolver of the field "fleet"
	// subscriptions counts the open ones.
	subscriptions atomic.Int64
	executions    *executions
}

// Options configures the API. All fields but Budgets are required.
type Options struct {
	Fleet *fleet.Service
	// Store publishes events.
	Store Store
	// Guard limits sign-ins and checks sessions.
	Guard Guard
	// Now is the clock.
	Now func() time.Time
	// Budgets limits what each caller uses; nil limits nothing.
	Budgets *auth.Budgets
	// Introspection decides who may read the schema; zero is signed-in callers.
	Introspection Introspection
	// RequestID returns the request id of a context, for errors.
	RequestID func(context.Context) string
	// Log receives internal errors.
	Log *slog.Logger
	// Server is the content of serverInfo.
	Server Server
}

// Introspection is who may read the schema with __schema and __type.
type Introspection int

// The choices.
const (
	IntrospectionUsers Introspection = iota
	IntrospectionNone
	IntrospectionAnyone
)

// Store is the part of the store that the API uses.
type Store interface {
	Bus() event.Bus
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
}

// Guard is the part of auth.Guard that the API uses.
type Guard interface {
	// Try runs a sign-in; soon after failures it returns auth.TooManyTries instead.
	Try(ctx context.Context, username string, f func(context.Context) error) error
	// RememberDevice marks the browser of a request as known to a user.
	RememberDevice(ctx context.Context, username string)
	// Require refuses requests without valid credentials.
	Require(next http.Handler, refusal auth.Refusal) http.Handler
	// Challenge begins the response to the anonymous request of a context with 401.
	Challenge(ctx context.Context)
	// Forget clears the cache of verified passwords.
	Forget()
	// Again identifies the caller of an open connection again; auth.ErrUnauthenticated
	// means that the credentials are not valid any more.
	Again(ctx context.Context) (auth.Principal, error)
	// Bearer identifies the caller of a websocket by a value of the header Authorization.
	Bearer(ctx context.Context, header string) (context.Context, error)
}

// Server describes the server process.
type Server struct {
	Version   string
	StartedAt time.Time
	Postgres  bool
	// UpdateURL returns the URL for machines, with the address by which the caller
	// of the context reaches this server.
	UpdateURL func(context.Context) string
	// SignIns are the identity providers.
	SignIns []*model.SignInOption
	// EndURL returns the page that ends the session of a token at its identity provider, or "".
	EndURL func(token string) string
}

// root returns the resolvers of the schema's types. A type has one when its Go type
// lacks a field.
type root struct{ *Resolver }

func (r root) Activity() generated.ActivityResolver           { return &activityResolver{r} }
func (r root) Application() generated.ApplicationResolver     { return &applicationResolver{r} }
func (r root) Attempt() generated.AttemptResolver             { return &attemptResolver{r} }
func (r root) Audit() generated.AuditResolver                 { return &auditResolver{r} }
func (r root) MachineSecret() generated.MachineSecretResolver { return &machineSecretResolver{r} }
func (r root) Channel() generated.ChannelResolver             { return &channelResolver{r} }
func (r root) Decision() generated.DecisionResolver           { return &decisionResolver{r} }
func (r root) FailureCount() generated.FailureCountResolver   { return &failureCountResolver{r} }
func (r root) FleetNumbers() generated.FleetNumbersResolver   { return &fleetNumbersResolver{r} }
func (r root) Group() generated.GroupResolver                 { return &groupResolver{r} }
func (r root) Halt() generated.HaltResolver                   { return &haltResolver{r} }
func (r root) RefusedRequest() generated.RefusedRequestResolver {
	return &refusedRequestResolver{r}
}
func (r root) RebootSlots() generated.RebootSlotsResolver   { return &rebootSlotsResolver{r} }
func (r root) RebootSlot() generated.RebootSlotResolver     { return &rebootSlotResolver{r} }
func (r root) GroupNumbers() generated.GroupNumbersResolver { return &groupNumbersResolver{r} }
func (r root) Instance() generated.InstanceResolver         { return &instanceResolver{r} }
func (r root) Upstream() generated.UpstreamResolver         { return &upstreamResolver{r} }
func (r root) UpstreamChannel() generated.UpstreamChannelResolver {
	return &upstreamChannelResolver{r}
}
func (r root) MirrorRun() generated.MirrorRunResolver             { return &mirrorRunResolver{r} }
func (r root) Proposal() generated.ProposalResolver               { return &proposalResolver{r} }
func (r root) MachineJob() generated.MachineJobResolver           { return &machineJobResolver{r} }
func (r root) Attention() generated.AttentionResolver             { return &attentionResolver{r} }
func (r root) Notifier() generated.NotifierResolver               { return &notifierResolver{r} }
func (r root) Delivery() generated.DeliveryResolver               { return &deliveryResolver{r} }
func (r root) DeliveryAttempt() generated.DeliveryAttemptResolver { return &deliveryAttemptResolver{r} }
func (r root) ExpressionMove() generated.ExpressionMoveResolver   { return &expressionMoveResolver{r} }
func (r root) ExpressionResult() generated.ExpressionResultResolver {
	return &expressionResultResolver{r}
}
func (r root) MachineJobItem() generated.MachineJobItemResolver {
	return &machineJobItemResolver{r}
}
func (r root) Mutation() generated.MutationResolver   { return &mutationResolver{r} }
func (r root) Package() generated.PackageResolver     { return &packageResolver{r} }
func (r root) Policy() generated.PolicyResolver       { return &policyResolver{r} }
func (r root) Promotion() generated.PromotionResolver { return &promotionResolver{r} }
func (r root) Query() generated.QueryResolver         { return &queryResolver{r} }
func (r root) Rollout() generated.RolloutResolver     { return &rolloutResolver{r} }
func (r root) RollBackGroup() generated.RollBackGroupResolver {
	return &rollBackGroupResolver{r}
}
func (r root) RollBackImpact() generated.RollBackImpactResolver {
	return &rollBackImpactResolver{r}
}
func (r root) RuleStep() generated.RuleStepResolver         { return &ruleStepResolver{r} }
func (r root) Subscription() generated.SubscriptionResolver { return &subscriptionResolver{r} }
func (r root) RoleGrant() generated.RoleGrantResolver       { return &roleGrantResolver{r} }
func (r root) Token() generated.TokenResolver               { return &tokenResolver{r} }
func (r root) TokenGrant() generated.TokenGrantResolver     { return &tokenGrantResolver{r} }
func (r root) User() generated.UserResolver                 { return &userResolver{r} }
func (r root) UpdateGroupInput() generated.UpdateGroupInputResolver {
	return &updateGroupInputResolver{r}
}

type (
	activityResolver         struct{ root }
	applicationResolver      struct{ root }
	attemptResolver          struct{ root }
	auditResolver            struct{ root }
	channelResolver          struct{ root }
	expressionMoveResolver   struct{ root }
	expressionResultResolver struct{ root }
	machineSecretResolver    struct{ root }
	decisionResolver         struct{ root }
	failureCountResolver     struct{ root }
	fleetNumbersResolver     struct{ root }
	groupResolver            struct{ root }
	groupNumbersResolver     struct{ root }
	rebootSlotsResolver      struct{ root }
	rebootSlotResolver       struct{ root }
	haltResolver             struct{ root }
	instanceResolver         struct{ root }
	machineJobResolver       struct{ root }
	proposalResolver         struct{ root }
	upstreamResolver         struct{ root }
	upstreamChannelResolver  struct{ root }
	mirrorRunResolver        struct{ root }
	attentionResolver        struct{ root }
	notifierResolver         struct{ root }
	deliveryResolver         struct{ root }
	deliveryAttemptResolver  struct{ root }
	machineJobItemResolver   struct{ root }
	mutationResolver         struct{ root }
	packageResolver          struct{ root }
	policyResolver           struct{ root }
	promotionResolver        struct{ root }
	queryResolver            struct{ root }
	refusedRequestResolver   struct{ root }
	rollBackGroupResolver    struct{ root }
	rollBackImpactResolver   struct{ root }
	rolloutResolver          struct{ root }
	ruleStepResolver         struct{ root }
	subscriptionResolver     struct{ root }
	tokenGrantResolver       struct{ root }
	tokenResolver            struct{ root }
	updateGroupInputResolver struct{ root }
	roleGrantResolver        struct{ root }
	userResolver             struct{ root }
)
