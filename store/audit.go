package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/event"
)

// Audit is one row of audits. The transaction sets its id, time and place in the chain.
type Audit struct {
	TeamID        uuid.UUID
	Actor         string
	Credential    string
	Address       string // of the client; "" for the command line and the server itself
	Verb          string // as in the API, such as pauseUpdates
	Object        string // such as group
	ObjectID      uuid.UUID
	ApplicationID uuid.UUID // zero: none
	Before, After any       // stored as JSON; nil: empty
	Reason        string
}

// Audit records a change in audits. The row is written just before the commit, because
// the end of the chain is locked from then on.
func (tx *Tx) Audit(a Audit) error {
	row := &db.Audit{ID: NewID(tx.now), At: tx.now, TeamID: a.TeamID, Actor: a.Actor, Credential: a.Credential, Address: a.Address,
		Verb: a.Verb, Object: a.Object, ObjectID: a.ObjectID, Reason: a.Reason}
	if a.ApplicationID != uuid.Nil {
		row.ApplicationID = &a.ApplicationID
	}
	for to, v := range map[*string]any{&row.Before: a.Before, &row.After: a.After} {
		if v == nil {
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("audit %s: %w", a.Verb, err)
		}
		*to = string(b)
	}
	tx.audits = append(tx.audits, row)
	tx.Publish(event.Event{Kind: event.AuditAdded, App: a.ApplicationID})
	return nil
}

// chain writes the transaction's audits. It locks the end of the chain, so that rows of
// all processes follow each other in the order of their commits.
func (tx *Tx) chain(ctx context.Context) error {
	if len(tx.audits) == 0 {
		return nil
	}
	var seq int64
	var previous string
	row := tx.sql.QueryRowContext(ctx, tx.sql.SQL(`INSERT INTO audit_heads (id, seq, hash, at) VALUES (1, 0, '', ?)
		ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at RETURNING seq, hash`), tx.now)
	if err := row.Scan(&seq, &previous); err != nil {
		return fmt.Errorf("lock the chain of audits: %w", err)
	}
	if seq == 0 {
		if err := tx.sealEarlier(ctx); err != nil {
			return err
		}
	}
	for _, a := range tx.audits {
		seq++
		a.Seq, a.Previous = &seq, previous
		a.Hash = AuditHash(a)
		err := tx.Client().Audit.Create().SetID(a.ID).SetAt(a.At).SetTeamID(a.TeamID).SetActor(a.Actor).SetCredential(a.Credential).
			SetAddress(a.Address).SetVerb(a.Verb).SetObject(a.Object).SetObjectID(a.ObjectID).SetNillableApplicationID(a.ApplicationID).
			SetBefore(a.Before).SetAfter(a.After).SetReason(a.Reason).SetSeq(seq).SetPrevious(previous).SetHash(a.Hash).Exec(ctx)
		if err != nil {
			return fmt.Errorf("audit %s: %w", a.Verb, err)
		}
		previous = a.Hash
	}
	if _, err := tx.sql.Change(ctx, "UPDATE audit_heads SET seq = ?, hash = ? WHERE id = 1", seq, previous); err != nil {
		return fmt.Errorf("write the end of the chain of audits: %w", err)
	}
	return nil
}

// sealVerb is the verb of the first row of a chain that does not begin with the
// database. Older versions wrote rows without a hash.
const sealVerb = "beginChain"

// earlierAudits are the rows from before the chain, as its first row names them.
type earlierAudits struct {
	Entries int    `json:"entries"`
	SHA256  string `json:"sha256"`
}

// sealEarlier puts a row with the digest of the rows from before the chain in front of
// the transaction's audits. From then on a change of those rows is found, too.
func (tx *Tx) sealEarlier(ctx context.Context) error {
	earlier, err := readEarlier(ctx, tx.Client())
	if err != nil || earlier.Entries == 0 {
		return err
	}
	own := tx.audits
	tx.audits = nil
	err = tx.Audit(Audit{TeamID: own[0].TeamID, Actor: "coreroller", Credential: "server", Verb: sealVerb, Object: "audit", After: earlier})
	tx.audits = append(tx.audits, own...)
	return err
}

// auditPage is the number of rows of audits that are in memory at once.
const auditPage = 1000

// readEarlier reads the rows without a place in the chain.
func readEarlier(ctx context.Context, c *db.Client) (earlierAudits, error) {
	sum, n, last := sha256.New(), 0, uuid.Nil
	for {
		rows, err := c.Audit.Query().Where(audit.SeqIsNil(), audit.IDGT(last)).Order(audit.ByID()).Limit(auditPage).All(ctx)
		if err != nil {
			return earlierAudits{}, fmt.Errorf("read audits: %w", err)
		}
		for _, a := range rows {
			hashAudit(sum, a)
			last = a.ID
		}
		if n += len(rows); len(rows) < auditPage {
			return earlierAudits{n, hex.EncodeToString(sum.Sum(nil))}, nil
		}
	}
}

// AuditHash returns the hash of a row of audits: the SHA-256, in hexadecimal, of its
// fields as docs/security.md describes. Another encoding needs another first field.
func AuditHash(a *db.Audit) string {
	sum := sha256.New()
	hashAudit(sum, a)
	return hex.EncodeToString(sum.Sum(nil))
}

// hashAudit writes the fields, each as its length in bytes, a colon, the text and a line
// feed, so that no two rows have the same encoding.
func hashAudit(to hash.Hash, a *db.Audit) {
	seq, application := "", ""
	if a.Seq != nil {
		seq = strconv.FormatInt(*a.Seq, 10)
	}
	if a.ApplicationID != nil {
		application = a.ApplicationID.String()
	}
	for _, text := range []string{
		"coreroller audit 1", seq, a.Previous, a.ID.String(), a.At.UTC().Format("2006-01-02T15:04:05.000000Z"), a.TeamID.String(),
		a.Actor, a.Credential, a.Address, a.Verb, a.Object, a.ObjectID.String(), application, a.Before, a.After, a.Reason,
	} {
		_, _ = io.WriteString(to, strconv.Itoa(len(text))+":"+text+"\n") // a hash never fails
	}
}

// AuditHead is the end of the chain of audits.
type AuditHead struct {
	Entries int64  // in the chain
	Hash    string // of the last one; "" for an empty chain
	At      time.Time
}

// AuditHead reads the end of the chain.
func (s *Store) AuditHead(ctx context.Context) (AuditHead, error) {
	row, err := s.client.AuditHead.Query().Only(ctx)
	switch {
	case db.IsNotFound(err):
		return AuditHead{}, nil
	case err != nil:
		return AuditHead{}, fmt.Errorf("read the end of the chain of audits: %w", err)
	}
	return AuditHead{row.Seq, row.Hash, row.At}, nil
}
