package checkin

import (
	"cmp"
	"container/list"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

const (
	// maxRefused bounds the kinds of refused requests that are kept, in memory and in
	// the table. The ones that were seen last stay.
	maxRefused = 1000
	// warnEvery is the time between two log lines about the same reason.
	warnEvery = time.Minute
)

// Refusal is why a request was refused before it reached a group.
type Refusal uint8

// The refusals.
const (
	RefusedUnreadable Refusal = iota // no Omaha request, or beyond a limit of the parser
	RefusedTooLarge
	RefusedWrongPath
	RefusedSecretMissing
	RefusedNoApplication // the appid is empty
	RefusedUnknownApplication
	RefusedUnknownTrack // or architecture
	RefusedInvalidVersion
	RefusedInvalidMachine
	RefusedMachineSecretMissing // the group requires one
	RefusedMachineSecretUnknown // or of another application or group
	RefusedMachineSecretRevoked
	RefusedMachineSecretExpired
	RefusedCertificateMissing // the group requires one
	RefusedCertificateExpired // since its connection began
	RefusedCertificateOther   // of another machine
	refusalCount
)

var refusalText = [refusalCount]string{
	"unreadable", "too_large", "wrong_path", "secret_missing", "no_application", "unknown_application", "unknown_track",
	"invalid_version", "invalid_machine",
	"machine_secret_missing", "machine_secret_unknown", "machine_secret_revoked", "machine_secret_expired",
	"certificate_missing", "certificate_expired", "certificate_other",
}

// String returns the stable code.
func (r Refusal) String() string { return refusalText[r] }

// Refused is one refused request, or one application of it: what it named, as far
// as it could be read.
type Refused struct {
	Reason                     Refusal
	App, Track, Version, Board string // Board: without one, the architecture
	Address                    string // of the client
}

// refusedLog counts refused requests: for metrics since the start, for the log since
// the last line, for the table since the last write.
type refusedLog struct {
	total  [refusalCount]atomic.Int64
	warned [refusalCount]atomic.Int64 // time of the last log line, Unix microseconds
	silent [refusalCount]atomic.Int64 // not logged since then

	mu      sync.Mutex
	entries map[store.RefusedKey]*list.Element // of recent
	recent  list.List                          // of *store.RefusedRequests, the last seen first
}

// Refuse records a refused request. It does not block.
func (s *Service) Refuse(r Refused) {
	f, now := &s.refused, s.now()
	f.total[r.Reason].Add(1)
	key := store.RefusedKey{Reason: r.Reason.String(), App: clean(r.App), Track: clean(r.Track), Version: clean(r.Version), Board: clean(r.Board)}
	f.add(key, 1, now, now, r.Address)
	if last := f.warned[r.Reason].Load(); now.UnixMicro()-last < warnEvery.Microseconds() || !f.warned[r.Reason].CompareAndSwap(last, now.UnixMicro()) {
		f.silent[r.Reason].Add(1)
		return
	}
	s.log.Warn("refused a request", "reason", key.Reason, "address", r.Address, "not_logged", f.silent[r.Reason].Swap(0),
		slog.Group("named", "app", key.App, "track", key.Track, "version", key.Version, "board", key.Board))
}

// RefusePath records a request to a path without a service.
func (s *Service) RefusePath(address string) {
	s.Refuse(Refused{Reason: RefusedWrongPath, Address: address})
}

// RefusedRequests returns how many requests were refused since the start, by reason.
func (s *Service) RefusedRequests() map[string]int64 {
	all := make(map[string]int64, refusalCount)
	for r := range refusalCount {
		all[r.String()] = s.refused.total[r].Load()
	}
	return all
}

// refuse records a check-in without a group.
func (s *Service) refuse(v catalog.Verdict, in CheckIn) {
	r := Refused{App: in.AppID, Track: in.Track, Version: in.Version, Board: cmp.Or(in.Board, in.Arch), Address: in.Address}
	switch v {
	case catalog.VerdictOK:
		return
	case catalog.VerdictUnknownApplication:
		r.Reason = RefusedUnknownApplication
	case catalog.VerdictUnknownGroup:
		r.Reason = RefusedUnknownTrack
	case catalog.VerdictInvalidVersion:
		r.Reason = RefusedInvalidVersion
	case catalog.VerdictInvalidMachine:
		r.Reason = RefusedInvalidMachine
	case catalog.VerdictSecretMissing:
		r.Reason = RefusedMachineSecretMissing
	case catalog.VerdictSecretUnknown:
		r.Reason = RefusedMachineSecretUnknown
	case catalog.VerdictSecretRevoked:
		r.Reason = RefusedMachineSecretRevoked
	case catalog.VerdictSecretExpired:
		r.Reason = RefusedMachineSecretExpired
	case catalog.VerdictCertificateMissing:
		r.Reason = RefusedCertificateMissing
	case catalog.VerdictCertificateExpired:
		r.Reason = RefusedCertificateExpired
	case catalog.VerdictCertificateOther:
		r.Reason = RefusedCertificateOther
	}
	s.Refuse(r)
}

// add counts requests with a key and drops the key that was not seen for the
// longest time when there are too many.
func (f *refusedLog) add(key store.RefusedKey, n int, first, last time.Time, address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil {
		r := e.Value.(*store.RefusedRequests)
		r.Requests += n
		if first.Before(r.FirstSeenAt) {
			r.FirstSeenAt = first
		}
		if !last.Before(r.LastSeen) {
			r.LastSeen, r.Address = last, address
		}
		f.recent.MoveToFront(e)
		return
	}
	if f.recent.Len() == maxRefused {
		oldest := f.recent.Remove(f.recent.Back()).(*store.RefusedRequests)
		delete(f.entries, oldest.RefusedKey)
	}
	if f.entries == nil {
		f.entries = map[store.RefusedKey]*list.Element{}
	}
	f.entries[key] = f.recent.PushFront(&store.RefusedRequests{RefusedKey: key, Requests: n, FirstSeenAt: first, LastSeen: last, Address: address})
}

// take removes and returns all counts, the oldest first.
func (f *refusedLog) take() (all []store.RefusedRequests) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for e := f.recent.Back(); e != nil; e = e.Prev() {
		all = append(all, *e.Value.(*store.RefusedRequests))
	}
	f.recent.Init()
	clear(f.entries)
	return all
}

// FlushRefused writes the refused requests since the last call. After an error they
// are kept for the next one.
func (s *Service) FlushRefused(ctx context.Context) error {
	all := s.refused.take()
	err := s.store.AddRefused(ctx, all, maxRefused)
	if err != nil {
		for i := range all {
			r := &all[i]
			s.refused.add(r.RefusedKey, r.Requests, r.FirstSeenAt, r.LastSeen, r.Address)
		}
	}
	return err
}
