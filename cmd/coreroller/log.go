package main

import (
	"fmt"
	"io"
	"log/slog"
)

// logger writes to w as the flags say.
func (c *Config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level is %q: debug, info, warn and error are known", c.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("--log-format is %q: text and json are known", c.LogFormat)
	}
}

// discard is the log of commands that print what they have to say.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
