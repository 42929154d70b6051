package selector

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Part is one comparison of an expression with its result for a machine.
type Part struct {
	Text   string // oem == 'azure'
	Is     bool
	Values string // what the machine has: "oem is 'gce'"; "" if it uses none
}

// Explain returns the comparisons below the && and || of an expression, in their order,
// each with its result for a machine.
func (e *Expression) Explain(m *Machine) []Part {
	var parts []Part
	native := e.ast.NativeRep()
	for _, leaf := range leaves(native.Expr(), nil) {
		text, err := cel.ExprToString(leaf, native.SourceInfo())
		if err != nil {
			continue
		}
		sub, err := Compile(text)
		if err != nil {
			continue
		}
		parts = append(parts, Part{Text: text, Is: sub.Matches(m), Values: valuesOf(leaf, m)})
	}
	return parts
}

// leaves returns the operands of && and || that are neither.
func leaves(e ast.Expr, found []ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind {
		if call := e.AsCall(); slices.Contains([]string{operators.LogicalAnd, operators.LogicalOr}, call.FunctionName()) {
			for _, arg := range call.Args() {
				found = leaves(arg, found)
			}
			return found
		}
	}
	return append(found, e)
}

// valuesOf names what a comparison reads, with the values of a machine.
func valuesOf(e ast.Expr, m *Machine) string {
	var texts []string
	add := func(name, value string) {
		if text := fmt.Sprintf("%s is %s", name, value); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	var visit func(ast.Expr)
	visit = func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			if name == tagsName {
				add(name, "["+strings.Join(quoted(m.Tags), ", ")+"]")
			}
			for _, v := range variables {
				if v.name == name {
					add(name, quote(v.of(m)))
				}
			}
		case ast.SelectKind:
			if s := e.AsSelect(); isAttributes(s.Operand()) {
				add(attributesName+"."+s.FieldName(), quote(m.Attributes[s.FieldName()]))
				return
			}
			visit(e.AsSelect().Operand())
		case ast.CallKind:
			call := e.AsCall()
			if call.FunctionName() == operators.Index && isAttributes(call.Args()[0]) && call.Args()[1].Kind() == ast.LiteralKind {
				key := fmt.Sprint(call.Args()[1].AsLiteral().Value())
				add(attributesName+"["+quote(key)+"]", quote(m.Attributes[key]))
				return
			}
			if call.IsMemberFunction() {
				visit(call.Target())
			}
			for _, arg := range call.Args() {
				visit(arg)
			}
		case ast.ListKind:
			for _, item := range e.AsList().Elements() {
				visit(item)
			}
		case ast.ComprehensionKind:
			visit(e.AsComprehension().IterRange())
			visit(e.AsComprehension().LoopStep())
		default: // a literal
		}
	}
	visit(e)
	return strings.Join(texts, ", ")
}

func isAttributes(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == attributesName }

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }

func quoted(texts []string) []string {
	all := make([]string, len(texts))
	for i, t := range texts {
		all[i] = quote(t)
	}
	return all
}
