package peers

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

const opaModule = `package studio
default allow := false
allow if {
	some at in input.path
	some holder in data.holders[input.user]
	some role in data.grants[at][holder]
	data.roles[role][input.permission]
}`

// OPA has the whole studio as data, the groups of each user worked out; its query is prepared and its input parsed.
func OPA(st *Studio, limit *Limit) (Peer, error) {
	ctx := context.Background()
	roles := map[string]any{}
	for role, list := range st.Permissions {
		can := map[string]any{}
		for _, p := range list {
			can[p] = true
		}
		roles[role] = can
	}
	grants, holders := map[string]any{}, map[string]any{}
	for at, byHolder := range st.Grants {
		here := map[string]any{}
		for h, list := range byHolder {
			here[h] = anys(list)
		}
		grants[at] = here
	}
	for user, list := range st.Holders {
		holders[user] = anys(list)
	}
	if err := limit.Reached(1, 2); err != nil {
		return Peer{}, err
	}
	store := inmem.NewFromObjectWithOpts(map[string]any{"roles": roles, "grants": grants, "holders": holders}, inmem.OptReturnASTValuesOnRead(true))
	query, err := rego.New(rego.Query("data.studio.allow"), rego.Module("studio.rego", opaModule), rego.Store(store)).PrepareForEval(ctx)
	if err != nil {
		return Peer{}, err
	}
	return Peer{Check: func(q *Asked) bool {
		result, err := query.Eval(ctx, rego.EvalParsedInput(q.opa))
		return err == nil && result.Allowed()
	}}, nil
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (a *Asked) prepareOPA() {
	path := make([]*ast.Term, len(a.Path))
	for i, at := range a.Path {
		path[i] = ast.StringTerm(at)
	}
	a.opa = ast.NewObject([2]*ast.Term{ast.StringTerm("user"), ast.StringTerm(a.Who)},
		[2]*ast.Term{ast.StringTerm("permission"), ast.StringTerm(a.May)}, [2]*ast.Term{ast.StringTerm("path"), ast.ArrayTerm(path...)})
}
