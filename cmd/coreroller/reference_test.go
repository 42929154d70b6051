package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var updateReference = flag.Bool("update-reference", false, "write docs/configuration.md and docs/commands.md")

// The pages of flags, variables and commands are made from the program:
// go test ./cmd/coreroller -run Reference -update-reference.
func TestReferenceIsWhatTheProgramHas(t *testing.T) {
	root := rootCommand(process{})
	serve, _, err := root.Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"../../docs/configuration.md": configurationPage(serve),
		"../../docs/commands.md":      commandsPage(root, serve),
	} {
		if *updateReference {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || string(have) != text {
			t.Errorf("%s differs from the program: run go test ./cmd/coreroller -run Reference -update-reference (%v)", file, err)
		}
	}
}

func configurationPage(serve *cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# Configuration

The flags of ` + "`coreroller serve`" + `, made from the program. Each is also an environment variable; the flag takes precedence, and an empty variable is ignored. ` + "`coreroller config check`" + ` reads them without starting a server. [commands.md](commands.md) has the other commands.

| Flag | Variable | Default | Meaning |
|---|---|---|---|
`)
	serve.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", f.Name, variable(f.Name), defaultOf(f), cell(f.Usage))
		}
	})
	b.WriteString(`
## Variables without a flag

Secrets have no flag, because other users of a machine can see the arguments of a command.

| Variable | Meaning |
|---|---|
`)
	for _, v := range secretVariables() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", envPrefix+v.name, cell(v.meaning))
	}
	return b.String()
}

func commandsPage(root, serve *cobra.Command) string {
	var b strings.Builder
	b.WriteString(`# Commands

Every command with its flags, made from the program; [cli.md](cli.md) shows how they are used. Each flag is also an environment variable: ` + "`--some-flag` is `" + envPrefix + "SOME_FLAG`" + `.
`)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		if c.Runnable() {
			b.WriteString("\n## " + c.CommandPath() + "\n\n```text\n" + strings.TrimSuffix(c.UseLine(), " [flags]") + "\n```\n\n" + paragraphs(c) + commandFlags(c, serve))
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return b.String()
}

// paragraphs is the help of a command, each paragraph on one line.
func paragraphs(c *cobra.Command) string {
	text := strings.TrimSpace(c.Long)
	if text == "" {
		text = strings.ToUpper(c.Short[:1]) + c.Short[1:] + "."
	}
	if strings.Contains(text, "\n  ") { // with an example or a table
		return "```text\n" + text + "\n```\n"
	}
	var out []string
	for p := range strings.SplitSeq(text, "\n\n") {
		out = append(out, strings.ReplaceAll(strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`).Replace(p), "\n", " "))
	}
	return strings.Join(out, "\n\n") + "\n"
}

// commandFlags is a table of the flags of a command. A command that has most of serve's flags
// leaves those out.
func commandFlags(c, serve *cobra.Command) string {
	ofServe := func(f *pflag.Flag) bool {
		same := serve.Flags().Lookup(f.Name)
		return same != nil && same.Usage == f.Usage
	}
	shared := 0
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if ofServe(f) {
			shared++
		}
	})
	most := shared > 10
	var rows strings.Builder
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden || most && ofServe(f) {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", name, defaultOf(f), cell(f.Usage))
	})
	text := ""
	if rows.Len() > 0 {
		text = "\n| Flag | Default | Meaning |\n|---|---|---|\n" + rows.String()
	}
	if most {
		text += "\nIt has the flags of the [configuration](configuration.md).\n"
	}
	return text
}

func defaultOf(f *pflag.Flag) string {
	if f.DefValue == "" || f.DefValue == "[]" {
		return ""
	}
	return "`" + f.DefValue + "`"
}

// cell is a text in a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`).Replace(text)
}
