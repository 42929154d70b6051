package model

import (
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/hosting"
)

// Connection is a page of a list.
type Connection[T any] struct {
	Edges             []*Edge[T]
	Nodes             []T
	PageInfo          *PageInfo
	TotalCount        int
	TotalCountIsExact bool
}

// Edge is an entry of a page.
type Edge[T any] struct {
	Cursor string
	Node   T
}

// Payload is the result of a mutation.
type Payload[T any] struct {
	Object     *T // the changed object; nil when nothing was changed
	UserErrors []*UserError
}

// The connections, edges and payloads of the schema.
//
//nolint:revive // the names say what they are
type (
	ActivityConnection       = Connection[*db.Activity]
	AttemptConnection        = Connection[*db.Attempt]
	AuditConnection          = Connection[*db.Audit]
	DeliveryConnection       = Connection[*db.Delivery]
	HistoryConnection        = Connection[*db.HistoryEntry]
	InstanceConnection       = Connection[*db.Instance]
	MachineJobConnection     = Connection[*db.MachineJob]
	MachineJobItemConnection = Connection[*db.MachineJobItem]
	PackageConnection        = Connection[*db.Release]
	PromotionConnection      = Connection[*db.Promotion]
	ProposalConnection       = Connection[*db.Proposal]
	MirrorRunConnection      = Connection[*db.MirrorRun]
	RefusedRequestConnection = Connection[*db.RefusedRequest]
	RolloutConnection        = Connection[*db.GroupRollout]

	ActivityEdge       = Edge[*db.Activity]
	AttemptEdge        = Edge[*db.Attempt]
	AuditEdge          = Edge[*db.Audit]
	DeliveryEdge       = Edge[*db.Delivery]
	HistoryEdge        = Edge[*db.HistoryEntry]
	InstanceEdge       = Edge[*db.Instance]
	MachineJobEdge     = Edge[*db.MachineJob]
	MachineJobItemEdge = Edge[*db.MachineJobItem]
	PackageEdge        = Edge[*db.Release]
	PromotionEdge      = Edge[*db.Promotion]
	ProposalEdge       = Edge[*db.Proposal]
	MirrorRunEdge      = Edge[*db.MirrorRun]
	RefusedRequestEdge = Edge[*db.RefusedRequest]
	RolloutEdge        = Edge[*db.GroupRollout]

	NewNotifierPayload         = Payload[fleet.NewNotifier]
	NotifierPayload            = Payload[db.Notifier]
	DeliveryPayload            = Payload[db.Delivery]
	RedeliverMessagesPayload   = Payload[fleet.Redelivered]
	CreateMachineSecretPayload = Payload[fleet.NewMachineSecret]

	EnrollInstancesPayload = Payload[fleet.Enrolled]
	ForgetInstancesPayload = Payload[fleet.Forgotten]

	ApplicationPayload = Payload[db.Application]
	ChannelPayload     = Payload[db.Channel]
	DemoPayload        = Payload[fleet.Demo]
	GroupPayload       = Payload[db.Group]
	InstancePayload    = Payload[db.Instance]
	MachineJobPayload  = Payload[db.MachineJob]
	UpstreamPayload    = Payload[db.Upstream]

	UpstreamChannelPayload = Payload[db.UpstreamChannel]

	MachineSecretPayload = Payload[db.MachineSecret]
	PackageFetchPayload  = Payload[hosting.Fetch]
	PackagePayload       = Payload[db.Release]
	ProposalPayload      = Payload[db.Proposal]
	TeamPayload          = Payload[db.Team]
	UserPayload          = Payload[db.User]
)
