package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
)

// The subjects, permissions, scopes and facts about which all answers have to agree with the single check.
var (
	theSubjects    = []string{"everyone", "group:animation", "group:crew", "group:staff", "user:ada", "user:ben", "user:bob", "user:cleo", "user:eve", "user:pia", "user:stranger", "user:zoë"}
	thePermissions = []string{"task.view", "task.update", "budget.view", "note.add", "rolecall.grant.create", "rolecall.escalate"}
	theScopes      = []string{"/", "/project:alpha", "/project:beta", "/project:secret", "/project:unheard", "/project:alpha/shot:010", "/project:alpha/shot:vault", "/project:secret/shot:010"}
	theFacts       = []string{"", given, unknown}
)

const given, unknown = " --given assigned", " --unknown assigned"

// A judge answers single questions about a policy.
type judge struct{ *rolecall.Snapshot }

func judgeOf(t *testing.T, file string) judge {
	_, s, err := readPolicy(file)
	if err != nil {
		t.Fatal(err)
	}
	return judge{s.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}
}

// allowed says what can says with these facts. A permission that is not declared is not allowed.
func (j judge) allowed(subject, permission, scope, facts string) bool {
	var errs []error
	who, p, at := parse(&errs, rolecall.ParseSubject, subject), parse(&errs, rolecall.ParsePermission, permission), parse(&errs, rolecall.ParseScope, scope)
	var known rolecall.Facts = rolecall.Given{}
	switch facts {
	case given:
		known = rolecall.Given{"assigned"}
	case unknown:
		known = rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return false, errCannotSay })
	}
	err := j.Check(who, p, at, known)
	if errs != nil || err != nil && !errors.Is(err, rolecall.ErrDenied) && !errors.Is(err, rolecall.ErrUnknown) {
		panic(fmt.Sprint(errs, err))
	}
	return err == nil
}

// read runs a command and reads what it prints as JSON.
func (f folder) read(into any, in, args string) {
	f.t.Helper()
	_, out, errOut := f.run(in, strings.Fields(args+" -o json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		f.t.Fatalf("rolecall %s: %v in\n%s%s", args, err, out, errOut)
	}
}

func TestListsAgreeWithTheCheck(t *testing.T) {
	f := folder{t, t.TempDir()}
	const file = "testdata/studio.rolecall"
	j := judgeOf(t, file)
	for _, facts := range theFacts {
		for _, permission := range []string{"task.view", "task.update", "budget.view", "rolecall.grant.create"} {
			for _, scope := range theScopes {
				f.checkWhoCan(j, file, permission, scope, facts)
			}
			for _, subject := range theSubjects {
				f.checkList(j, file, subject, permission, facts)
			}
		}
		for _, subject := range theSubjects {
			for _, scope := range theScopes {
				f.checkWhatCan(j, file, subject, scope, facts)
			}
		}
	}
}

func (f folder) checkWhoCan(j judge, file, permission, scope, facts string) {
	args := "who-can " + permission + " " + scope + " -f " + file + facts
	var got struct {
		Everyone bool
		Subjects []struct{ Subject string }
	}
	f.read(&got, "", args)
	for _, subject := range theSubjects {
		if subject != "everyone" && (strings.HasPrefix(subject, "group:") || subject == "user:stranger" || subject == "user:eve") {
			continue // is not listed
		}
		listed := slices.Contains(got.Subjects, struct{ Subject string }{subject})
		if want := j.allowed(subject, permission, scope, facts); listed != want {
			f.t.Errorf("rolecall %s: lists %s: %t, want %t", args, subject, listed, want)
		}
	}
}

func (f folder) checkWhatCan(j judge, file, subject, scope, facts string) {
	args := "what-can " + subject + " " + scope + " -f " + file + facts
	var got struct{ Permissions []struct{ Permission string } }
	f.read(&got, "", args)
	for _, permission := range thePermissions {
		listed := slices.Contains(got.Permissions, struct{ Permission string }{permission})
		if want := j.allowed(subject, permission, scope, facts); listed != want {
			f.t.Errorf("rolecall %s: lists %s: %t, want %t", args, permission, listed, want)
		}
	}
}

// checkList compares the regions, the list seen from a parent and the chosen candidates.
func (f folder) checkList(j judge, file, subject, permission, facts string) {
	args := "list " + subject + " " + permission + " project -f " + file
	var whole struct{ Regions []effectForm }
	f.read(&whole, "", args)
	var inside struct {
		Default    ruleForm
		Exceptions []effectForm
	}
	f.read(&inside, "", args+" --in /")
	var projects []string
	for _, scope := range theScopes {
		if strings.Count(scope, ":") == 1 {
			projects = append(projects, scope)
		}
	}
	var among struct{ Scopes []string }
	f.read(&among, strings.Join(projects, "\n"), "list "+subject+" "+permission+" project - -f "+file+facts)
	for _, scope := range projects {
		want := j.allowed(subject, permission, scope, facts)
		if got := holdsAt(whole.Regions, scope, facts); got != want {
			f.t.Errorf("rolecall %s: at %s%s: %t, want %t", args, scope, facts, got, want)
		}
		rule := inside.Default
		for _, e := range inside.Exceptions {
			if e.Scope == scope {
				rule = e.Rule
			}
		}
		if got := rule.holds(facts); got != want {
			f.t.Errorf("rolecall %s --in /: at %s%s: %t, want %t", args, scope, facts, got, want)
		}
		if got := slices.Contains(among.Scopes, scope); got != want {
			f.t.Errorf("rolecall %s%s among projects: %s: %t, want %t", args, facts, scope, got, want)
		}
	}
}

// An effectForm is an effect or a region, as documented.
type effectForm struct {
	Subject, Permission, Scope string
	Rule, Private              ruleForm
}

type ruleForm struct{ json.RawMessage }

func (r *ruleForm) UnmarshalJSON(data []byte) error {
	r.RawMessage = slices.Clone(data)
	return nil
}

func (r ruleForm) holds(facts string) bool {
	var split struct {
		Condition             string
		Holds, Fails, Unknown ruleForm
	}
	switch text := string(r.RawMessage); {
	case text == "true" || text == "false":
		return text == "true"
	case json.Unmarshal(r.RawMessage, &split) != nil:
		panic(fmt.Sprintf("%q is no rule", r.RawMessage))
	case facts == " --given "+split.Condition:
		return split.Holds.holds(facts)
	case facts == " --unknown "+split.Condition && split.Unknown.RawMessage != nil:
		return split.Unknown.holds(facts)
	}
	return split.Fails.holds(facts)
}

var thePrivate = []string{"/project:secret", "/project:alpha/shot:vault"}

// holdsAt looks for the innermost region around a scope.
func holdsAt(regions []effectForm, scope, facts string) bool {
	var inner effectForm
	for _, r := range regions {
		if within(scope, r.Scope) && len(r.Scope) > len(inner.Scope) {
			inner = r
		}
	}
	if inner.Scope == "" {
		return false
	}
	for _, private := range thePrivate {
		if within(scope, private) && private != inner.Scope && within(private, inner.Scope) {
			return inner.Private.holds(facts)
		}
	}
	return inner.Rule.holds(facts)
}

func within(scope, other string) bool {
	return other == "/" || scope == other || strings.HasPrefix(scope, other+"/")
}

// What diff and plan tell of effects is what the check answers before and after, for permissions that only one policy declares
// as well.
func TestEffectsAgreeWithTheCheck(t *testing.T) {
	f := folder{t, t.TempDir()}
	for _, pair := range [][2]string{
		{"testdata/studio.rolecall", "testdata/proposed.rolecall"},
		{"testdata/proposed.rolecall", "testdata/studio.rolecall"},
		{"testdata/open.rolecall", "testdata/proposed.rolecall"},
		{"testdata/studio.rolecall", "testdata/open.rolecall"},
	} {
		var got effectsForm
		f.read(&got, "", "diff --now 2026-03-01 "+pair[0]+" "+pair[1])
		f.checkEffects(got, judgeOf(t, pair[0]), judgeOf(t, pair[1]), pair[0]+" to "+pair[1])
	}
}

type effectsForm struct {
	Apart        []string
	Gained, Lost []effectForm
}

func (f folder) checkEffects(got effectsForm, before, after judge, what string) {
	for _, subject := range theSubjects {
		for _, permission := range thePermissions {
			gained, lost := got.about(got.Gained, subject, permission), got.about(got.Lost, subject, permission)
			for _, scope := range theScopes {
				for _, facts := range theFacts {
					was, is := before.allowed(subject, permission, scope, facts), after.allowed(subject, permission, scope, facts)
					if got := holdsAt(gained, scope, facts); got != (is && !was) {
						f.t.Errorf("%s: %s gains %s at %s%s: %t, want %t", what, subject, permission, scope, facts, got, is && !was)
					}
					if got := holdsAt(lost, scope, facts); got != (was && !is) {
						f.t.Errorf("%s: %s loses %s at %s%s: %t, want %t", what, subject, permission, scope, facts, got, was && !is)
					}
				}
			}
		}
	}
}

// about returns the effects that count for a subject.
func (e effectsForm) about(list []effectForm, subject, permission string) (found []effectForm) {
	switch {
	case slices.Contains(e.Apart, subject):
	case subject == "user:bob":
		return nil // stays suspended
	default:
		subject = "everyone"
	}
	for _, one := range list {
		if one.Subject == subject && one.Permission == permission {
			found = append(found, one)
		}
	}
	return found
}
