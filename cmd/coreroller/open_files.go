package main

import (
	"fmt"
	"log/slog"
)

const (
	// reservedFiles are kept for the database, the log, and connections to other servers.
	reservedFiles = 100
	// metricsConnections are enough for those who read metrics, on a listener of their own.
	metricsConnections = 100
)

// boundConnections returns how many connections each listener may have open, so that the
// files of the process suffice: Go raised their number to the hard limit when the process
// started. Files that downloads read are kept, too. 0 files: their number is not known.
func (c *Config) boundConnections(files uint64, log *slog.Logger) (each int) {
	wanted, listeners := c.maxConnections(), 1
	if c.Web.ListenMachines != "" {
		listeners++
	}
	if files == 0 || files > 1<<30 {
		return wanted
	}
	all := int(files)
	reserved := reservedFiles + c.Payloads.Downloads
	if c.Web.ListenMetrics != "" {
		reserved += metricsConnections
	}
	each = max((all-min(reserved, all/2))/listeners, 1)
	if each >= wanted {
		return wanted
	}
	log.Warn("the limit of open files allows fewer connections than --max-connections", "files", files, "connections", each, "max_connections", wanted,
		"remedy", fmt.Sprintf("raise the limit to %d: LimitNOFILE of systemd, ulimits of a container, or ulimit -n", wanted*listeners+reserved))
	return each
}
