package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func healthCommand(p process) *cobra.Command {
	var address, listen string
	var timeout time.Duration
	cmd := command("health", "ask a running server whether it is well; fails if it is not", `
Made for a container's health check. Without --url it asks the server on this
machine at the address of --listen.`,
		func(cmd *cobra.Command) error {
			if address == "" {
				address = localURL(listen)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			text, err := askHealth(ctx, address)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.Stdout, text)
			return err
		})
	cmd.Flags().StringVar(&address, "url", "", "address of the server, such as http://localhost:8000")
	cmd.Flags().StringVar(&listen, "listen", defaultListen, "address the server was told to listen on")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for the answer")
	return cmd
}

// askHealth returns what a healthy server says.
func askHealth(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+healthPath, nil)
	if err != nil {
		return "", fmt.Errorf("--url: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	const longest = 4 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", req.URL, resp.Status, text)
	}
	return text, nil
}

// healthPath answers 200 as long as the database answers.
const healthPath = "/healthz"
