// Package selector selects machines by an expression over what they are, such as
// oem == 'azure' && attributes.rack in ['3', '4']. The language is CEL
// (https://cel.dev): typed, without side effects, and limited in cost. Expressions are
// compiled once and are safe for concurrent use.
package selector

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

const (
	// MaxLength is the longest expression in bytes.
	MaxLength = 2000
	// maxCost limits one evaluation; a comparison costs about 2.
	maxCost = 20_000
)

// Machine is what an expression sees of a machine. An attribute that is missing is "".
type Machine struct {
	ID, Alias, Address, Arch      string
	OEM, OEMVersion, FirstVersion string

	Attributes map[string]string
	Tags       []string
}

// variables are the names in an expression.
var variables = []struct {
	name string
	of   func(*Machine) string
}{
	{"machine", func(m *Machine) string { return m.ID }},
	{"alias", func(m *Machine) string { return m.Alias }},
	{"address", func(m *Machine) string { return m.Address }},
	{"arch", func(m *Machine) string { return m.Arch }},
	{"oem", func(m *Machine) string { return m.OEM }},
	{"oem_version", func(m *Machine) string { return m.OEMVersion }},
	{"aleph_version", func(m *Machine) string { return m.FirstVersion }},
}

// The variables that are not texts.
const (
	attributesName = "attributes"
	tagsName       = "tags"
)

// Names returns the variables of expressions, in the order of the documentation.
func Names() []string {
	names := make([]string, 0, len(variables)+2)
	for _, v := range variables {
		names = append(names, v.name)
	}
	return append(names, attributesName, tagsName)
}

// environment has the variables, the functions of texts, and within(address, network).
var environment = newEnvironment()

func newEnvironment() *cel.Env {
	options := []cel.EnvOption{
		cel.Variable(attributesName, cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable(tagsName, cel.ListType(cel.StringType)),
		cel.ClearMacros(), // has() would be true for every attribute
		cel.Macros(cel.AllMacro, cel.ExistsMacro),
		ext.Strings(ext.StringsVersion(1)),
		cel.Function("within", cel.Overload("within_string_string", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(address, network ref.Val) ref.Val { return within(address, network) }))),
	}
	for _, v := range variables {
		options = append(options, cel.Variable(v.name, cel.StringType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic(err) // the options are constants
	}
	return env
}

// within reports whether an address is in a network, such as 10.1.0.0/16. An address that
// is not known is in none.
func within(address, network ref.Val) ref.Val {
	prefix, err := netip.ParsePrefix(fmt.Sprint(network.Value()))
	if err != nil {
		return types.NewErr("%q is not a network, such as 10.1.0.0/16", network.Value())
	}
	a, err := netip.ParseAddr(fmt.Sprint(address.Value()))
	return types.Bool(err == nil && prefix.Contains(a.Unmap()))
}

// Expression is a compiled expression.
type Expression struct {
	text    string
	ast     *cel.Ast
	program cel.Program
}

// Compile checks and compiles an expression. An error is about its text, with line and
// column.
func Compile(text string) (*Expression, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, fmt.Errorf("must not be empty")
	case len(text) > MaxLength:
		return nil, fmt.Errorf("must not be longer than %d bytes", MaxLength)
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("must be valid UTF-8")
	}
	ast, issues := environment.Compile(text)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, fmt.Errorf("line %d, column %d: %s", first.Location.Line(), first.Location.Column()+1, plain(first.Message))
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("must be true or false, such as oem == 'azure', but it is a %s", ast.OutputType())
	}
	program, err := environment.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("cannot be used: %s", plain(err.Error()))
	}
	return &Expression{text: text, ast: ast, program: program}, nil
}

// plain makes one line of a message of the library.
func plain(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	message = strings.TrimSuffix(message, " (in container '')")
	if name, ok := strings.CutPrefix(message, "undeclared reference to "); ok {
		return "there is no " + name + ": use " + strings.Join(Names(), ", ")
	}
	if rest, ok := strings.CutPrefix(message, "Syntax error: "); ok {
		return syntax(rest)
	}
	return message
}

// syntax says what is wrong without the list of the token classes that would have been right.
func syntax(message string) string {
	message, _, _ = strings.Cut(message, " expecting ")
	if strings.HasSuffix(message, "'<EOF>'") {
		return "the expression is not complete"
	}
	for _, prefix := range []string{"mismatched input ", "extraneous input ", "no viable alternative at input ", "token recognition error at: "} {
		if token, ok := strings.CutPrefix(message, prefix); ok {
			return "did not expect " + token
		}
	}
	return message
}

// Text is the expression as it was written.
func (e *Expression) Text() string { return e.text }

// Matches reports whether the expression is true for a machine. An evaluation that
// fails, for instance by its cost, is false.
func (e *Expression) Matches(m *Machine) bool {
	is, err := evaluate(e.program, m)
	return err == nil && is
}

func evaluate(p cel.Program, m *Machine) (bool, error) {
	out, _, err := p.Eval(activation{m})
	if err != nil {
		return false, err
	}
	is, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it is %v", out.Value())
	}
	return is, nil
}

// UsesLabels reports whether the expression reads attributes or tags that people set.
func (e *Expression) UsesLabels() bool {
	used := false
	visitor := ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() == ast.IdentKind && (x.AsIdent() == attributesName || x.AsIdent() == tagsName) {
			used = true
		}
	})
	ast.PostOrderVisit(e.ast.NativeRep().Expr(), visitor)
	return used
}
