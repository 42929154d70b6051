package updater

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// state is what must survive a restart.
type state struct {
	MachineID string    `json:"machineId"`
	Version   string    `json:"version,omitempty"` // of File, if it is another program's
	SHA256    string    `json:"sha256,omitempty"`  // of File at that version, in hex
	Pending   *Update   `json:"pending,omitempty"` // download in progress or complete
	Trial     *trial    `json:"trial,omitempty"`
	Reports   []report  `json:"reports,omitempty"`  // not answered yet, in order
	Failures  int       `json:"failures,omitempty"` // in a row
	RetryAt   time.Time `json:"retryAt,omitzero"`
}

// trial is a new version that is not confirmed.
type trial struct {
	Version   string `json:"version"`
	Previous  string `json:"previous"`
	SHA256    string `json:"sha256"`              // of the new file, in hex
	HadOld    bool   `json:"hadOld,omitempty"`    // File.old is the old version
	Installed bool   `json:"installed,omitempty"` // known to be in place, and reported
	Undo      bool   `json:"undo,omitempty"`      // being put back
	Starts    int    `json:"starts,omitempty"`    // of the new version
}

const stateName = "state.json"

// load reads the state of the directory; the zero state if there is none.
func (s *state) load(dir string) error {
	name := filepath.Join(dir, stateName)
	data, err := os.ReadFile(name) //nolint:gosec // G304: the caller names the directory
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, s); err != nil {
		return fmt.Errorf("%s: %w; delete it to start without a state", name, err)
	}
	return nil
}

// save writes the state. When it returns, the state survives a power failure.
func (s *state) save(dir string) error {
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	name := filepath.Join(dir, stateName)
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // G304: the caller names the directory
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return rename(name+".new", name)
}

// rename moves a file within a directory and waits until that is on disk.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}
