package client

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// printer writes answers to standard output: as text for people, or as JSON or YAML.
type printer struct {
	out    io.Writer
	format string // table, json or yaml
	colour bool
}

func newPrinter(t Terminal, format string) *printer {
	return &printer{
		out: t.Stdout, format: format,
		colour: isTerminal(t.Stdout) && t.variable("NO_COLOR") == "" && t.variable("TERM") != "dumb",
	}
}

// show prints a value as JSON or YAML, or calls text for people.
func (p *printer) show(value any, text func()) error {
	if p.format == "table" {
		text()
		return nil
	}
	data, err := json.MarshalIndent(value, "", "  ")
	if err == nil && p.format == "yaml" {
		data, err = yaml.JSONToYAML(data)
	}
	if err == nil {
		_, err = fmt.Fprintln(p.out, strings.TrimRight(string(data), "\n"))
	}
	return err
}

// ink is text that is ready for the terminal, with its colour and its width.
type ink struct {
	text, style string
}

// The styles, as parameters of the terminal's escape sequence.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
)

// clean replaces control characters. Machines choose some of the texts, and a terminal
// would execute them.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// paint returns text in a style.
func (p *printer) paint(style string, text any) string {
	plain := clean(fmt.Sprint(text))
	if !p.colour || style == "" || plain == "" {
		return plain
	}
	return "\x1b[" + style + "m" + plain + "\x1b[0m"
}

// line prints a line. Arguments of type ink have a style; all are cleaned.
func (p *printer) line(format string, args ...any) {
	for i, arg := range args {
		switch a := arg.(type) {
		case ink:
			args[i] = p.paint(a.style, a.text)
		case string:
			args[i] = clean(a)
		}
	}
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

// table prints rows in columns. Cells are text or ink.
func (p *printer) table(header []string, rows [][]any) {
	all := make([][]ink, 0, len(rows)+1)
	if header != nil {
		first := make([]ink, len(header))
		for i, title := range header {
			first[i] = ink{title, dim}
		}
		all = append(all, first)
	}
	for _, row := range rows {
		cells := make([]ink, len(row))
		for i, value := range row {
			if styled, ok := value.(ink); ok {
				cells[i] = styled
			} else {
				cells[i] = ink{text: fmt.Sprint(value)}
			}
		}
		all = append(all, cells)
	}
	var widths []int
	for _, row := range all {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell.text))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(p.paint(cell.style, cell.text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell.text)+2))
			}
		}
		_, _ = fmt.Fprintln(p.out, strings.TrimRight(b.String(), " "))
	}
}

// count returns a number with thousands separated, as the page shows it.
func count(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// clock returns a time for people, in the time zone of the machine.
func clock(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return at.Local().Format("2006-01-02 15:04:05")
}

// optional returns a time that may be missing.
func optional(at *time.Time) string {
	if at == nil {
		return "–"
	}
	return clock(*at)
}

// enum returns a value of an enumeration for people, such as "rolling out".
func enum(value string) string {
	return strings.ToLower(strings.ReplaceAll(value, "_", " "))
}

// enumInput returns what the API calls a value such as "on-hold" or "on hold".
func enumInput(text string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(strings.TrimSpace(text)))
}

// dash replaces an empty text in a table.
func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
