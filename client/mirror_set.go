package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// keptFiles are the flags that say which files a mirror keeps on the server.
type keptFiles struct {
	host  bool
	extra []string
}

func (k *keptFiles) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&k.host, "host-files", false, "keep the files on the server; machines fetch them from there")
	cmd.Flags().StringSliceVar(&k.extra, "extra-files", []string{"*"}, `additional files that --host-files keeps, such as oem-azure.gz or oem-*.gz; "" keeps none`)
}

// changes adds the flags that were used to the input of a mutation.
func (k *keptFiles) changes(cmd *cobra.Command, in map[string]any) {
	if cmd.Flags().Changed("host-files") {
		in["hostFiles"] = k.host
	}
	if cmd.Flags().Changed("extra-files") {
		in["extraFiles"] = append([]string{}, k.extra...)
	}
}

func setMirrorCommand(t Terminal) *cobra.Command {
	var channel, arch, mode, reason string
	var keep keptFiles
	var cmd *cobra.Command
	cmd = t.command("set NAME", "change what a mirror does with new versions", `
Changes all channels of the mirror, or those that --channel and --arch name. What is not
given stays as it is. The channels that change are asked at once.`,
		"  coreroller mirror set Flatcar --channel stable --mode promote\n  coreroller mirror set Flatcar --arch arm64 --host-files --extra-files oem-azure.gz,flatcar-zfs.gz",
		func(ctx context.Context, s *session, args []string) error {
			in := map[string]any{}
			if cmd.Flags().Changed("mode") {
				mode, err := modeOf(mode)
				if err != nil {
					return err
				}
				in["mode"] = mode
			}
			if keep.changes(cmd, in); len(in) == 0 {
				return usage("name a change: --mode, --host-files or --extra-files")
			}
			in["reason"] = reason
			return s.setMirror(ctx, args[0], channel, arch, in)
		})
	cmd.Flags().StringVar(&channel, "channel", "", "only the channel of this name")
	cmd.Flags().StringVar(&arch, "arch", "", "only channels of this architecture")
	cmd.Flags().StringVar(&mode, "mode", "", modeHelp)
	keep.flags(cmd)
	reasonFlag(cmd, &reason)
	return cmd
}

func (s *session) setMirror(ctx context.Context, name, channel, arch string, in map[string]any) error {
	up, err := s.findUpstream(ctx, name)
	if err != nil {
		return err
	}
	changed := 0
	for i := range up.Channels {
		c := &up.Channels[i]
		if channel != "" && !strings.EqualFold(c.Channel.Name, channel) || arch != "" && !strings.EqualFold(c.Channel.Arch, arch) {
			continue
		}
		in["id"] = c.ID
		if err := s.mutate(ctx, change{mutation: "updateUpstreamChannel", input: in}); err != nil {
			return fmt.Errorf("channel %s (%s): %w", c.Channel.Name, c.Channel.Arch, err)
		}
		changed++
	}
	if changed == 0 {
		return fmt.Errorf("no such channel follows the mirror %s; coreroller mirror list has those that do", up.Name)
	}
	return s.showUpstream(ctx, up.ID)
}
