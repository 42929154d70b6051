package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// contexts are the servers where the user signed in.
type contexts struct {
	Current string  `json:"current"`
	All     []login `json:"contexts"`
	file    string
}

// login is one server and its token.
type login struct {
	Name   string `json:"name"`
	Server string `json:"server"`
	User   string `json:"user"`
	Token  string `json:"token"`
	CAFile string `json:"caFile,omitempty"`
}

// readContexts reads the file in the user's configuration folder. A missing file has none.
func readContexts() (*contexts, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("the user's configuration folder: %w; set XDG_CONFIG_HOME, or COREROLLER_SERVER and COREROLLER_TOKEN", err)
	}
	c := &contexts{file: filepath.Join(dir, "coreroller", "contexts.json")}
	text, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; delete it and run coreroller login again", c.file, err)
	}
	return c, nil
}

// write replaces the file. Only the user can read it, because of the tokens.
func (c *contexts) write() error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(c.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// CreateTemp makes files with mode 0600.
	next, err := os.CreateTemp(dir, "contexts-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }()
	_, err = next.Write(append(text, '\n'))
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), c.file)
}

// find returns the context with a name, or nil.
func (c *contexts) find(name string) *login {
	for i := range c.All {
		if c.All[i].Name == name {
			return &c.All[i]
		}
	}
	return nil
}

// named is like find, with an error that lists the contexts.
func (c *contexts) named(name string) (*login, error) {
	if found := c.find(name); found != nil {
		return found, nil
	}
	if len(c.All) == 0 {
		return nil, usage("there is no context %q: you are signed in nowhere; run coreroller login URL", name)
	}
	names := make([]string, len(c.All))
	for i, l := range c.All {
		names[i] = l.Name
	}
	return nil, usage("there is no context %q; there are: %s", name, strings.Join(names, ", "))
}

// add adds a login, or replaces the one with its name, and makes it the current one.
func (c *contexts) add(l login) {
	c.remove(l.Name)
	c.All = append(c.All, l)
	slices.SortFunc(c.All, func(a, b login) int { return strings.Compare(a.Name, b.Name) })
	c.Current = l.Name
}

func (c *contexts) remove(name string) {
	c.All = slices.DeleteFunc(c.All, func(l login) bool { return l.Name == name })
	if c.Current == name {
		c.Current = ""
	}
}
