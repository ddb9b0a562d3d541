package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
)

const hats = `role lead
  inherits artist
constraint hats dynamic 2 of artist accountant
grant user:ivy lead at /
grant user:ivy accountant at /
grant group:night viewer at /project:beta
grant service:key viewer at /project:beta
`

var ivy, key = rolecall.User("ivy"), rolecall.Service("key")

// roundTrip keeps a session in a token and takes it out again.
func roundTrip(t *testing.T, x admin.Session) admin.Session {
	t.Helper()
	text := must[[]byte](t)(json.Marshal(x))
	var back admin.Session
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("Unmarshal(%s): %v", text, err)
	}
	if diff := cmp.Diff(x, back, cmpopts.EquateComparable(rolecall.Subject{})); diff != "" {
		t.Errorf("%s: -before +after\n%s", text, diff)
	}
	return back
}

func TestSessionOfActiveRoles(t *testing.T) {
	s := newBench(t, hats).snapshot()
	x := roundTrip(t, must[admin.Session](t)(admin.OpenSession(s, ivy, "accountant")))
	v := must[*rolecall.View](t)(x.View(s))
	if err := v.Check(budgetView, alpha); err != nil {
		t.Errorf("Check(budget.view) with accountant active: got %v, want nil", err)
	}
	wantErr(t, "Check(task.view) with accountant active", v.Check(taskView, alpha), rolecall.ErrDenied)
	_, err := admin.OpenSession(s, ivy, "root")
	wantErr(t, "OpenSession with a role that is not held", err, rolecall.ErrHolder)
	_, err = admin.OpenSession(s, max, "artist")
	wantErr(t, "OpenSession with a role of which one is only eligible", err, rolecall.ErrHolder)
	_, err = admin.OpenSession(s, ivy, "lead", "accountant")
	wantErr(t, "OpenSession against a dynamic constraint", err, rolecall.ErrSeparation)
	_, err = x.Activate(s, "artist")
	wantErr(t, "Activate against a dynamic constraint", err, rolecall.ErrSeparation)
	x = must[admin.Session](t)(x.Deactivate("accountant").Activate(s, "artist"))
	if err := must[*rolecall.View](t)(x.View(s)).Check(taskView, alpha); err != nil {
		t.Errorf("Check(task.view) with artist, which lead inherits, active: got %v, want nil", err)
	}
}

// A session without active roles, or with no pattern, does nothing, and still does after it was in a token.
func TestEmptySessionsTakeEverything(t *testing.T) {
	s := newBench(t, hats).snapshot()
	for name, x := range map[string]admin.Session{
		"no role":               must[admin.Session](t)(admin.OpenSession(s, ivy)),
		"the last role dropped": must[admin.Session](t)(admin.OpenSession(s, ivy, "lead")).Deactivate("lead"),
		"no pattern":            must[admin.Session](t)(admin.APIKey(s, key, ivy)),
	} {
		v := must[*rolecall.View](t)(roundTrip(t, x).View(s))
		if may := must[[]rolecall.Permission](t)(v.Permissions(rolecall.Global(), rolecall.Given{"assigned"})); may != nil {
			t.Errorf("a session with %s may %v, want nothing", name, may)
		}
	}
}

func TestKeysAndImpersonation(t *testing.T) {
	b := newBench(t, hats)
	s := b.snapshot()
	x := roundTrip(t, must[admin.Session](t)(admin.APIKey(s, key, ivy, "budget.*", "task.update")))
	v := must[*rolecall.View](t)(x.View(s))
	if err := v.Check(budgetView, alpha); err != nil {
		t.Errorf("Check(budget.view) by ivy's key: got %v, want nil", err)
	}
	wantErr(t, "Check(task.view) by ivy's key, outside of its patterns", v.Check(taskView, beta), rolecall.ErrDenied)
	d := must[rolecall.Decision](t)(x.Decide(s, rolecall.Request{Subject: root, Actor: root, Permission: budgetView, Scope: alpha}))
	if r := d.Request(); r.Subject != ivy || r.Actor != key || !d.Allowed() {
		t.Errorf("Decide: got %s, want ivy with the key as the actor, allowed", d)
	}
	own := must[*rolecall.View](t)(s.For(key, nil))
	if err := own.Check(taskView, beta); err != nil {
		t.Errorf("Check(task.view) by a key with a role of its own: got %v, want nil", err)
	}

	look := roundTrip(t, must[admin.Session](t)(admin.Impersonate(s, root, ivy, "*.view")))
	seen := must[*rolecall.View](t)(look.View(s))
	if err := seen.Check(budgetView, alpha); err != nil {
		t.Errorf("Check(budget.view) by root as ivy: got %v, want nil", err)
	}
	wantErr(t, "Check(budget.update) by root as ivy", seen.Check(rolecall.NewPermission("budget.update"), alpha), rolecall.ErrDenied)
	wantErr(t, "Check(rolecall.grant.create) by root as ivy", seen.Check(rolecall.GrantCreate, alpha), rolecall.ErrDenied)
	_, err := admin.Impersonate(s, ivy, ivy, "*.view")
	wantErr(t, "Impersonate oneself", err, rolecall.ErrInvalid)
	_, err = admin.APIKey(s, rolecall.Subject{}, ivy, "*")
	wantErr(t, "APIKey without a key", err, rolecall.ErrInvalid)

	b.ok(b.as(root, nil).Suspend(t.Context(), key))
	wantErr(t, "Check by a suspended key", must[*rolecall.View](t)(x.View(b.snapshot())).Check(budgetView, alpha), rolecall.ErrDenied)
	vouched := must[*rolecall.View](t)(look.View(s, night))
	if err := vouched.Check(taskView, beta); err != nil {
		t.Errorf("Check(task.view) by root as ivy with a group vouched for: got %v, want nil", err)
	}
}

func TestSessionsEnd(t *testing.T) {
	b := newBench(t, hats)
	early := b.snapshot()
	b.ok(b.as(root, nil).Suspend(t.Context(), max))
	s := b.snapshot()
	x := must[admin.Session](t)(admin.OpenSession(s, ivy, "lead")).Lasting(date("2026-03-05")).Lasting(date("2026-03-09")).Lasting(time.Time{})
	x = roundTrip(t, x)
	pinned := x
	pinned.Pinned = true
	b.ok(b.as(root, nil).Resume(t.Context(), max))
	for _, c := range []struct {
		name string
		x    admin.Session
		s    *rolecall.Snapshot
		want error
	}{
		{"at its policy", x, s, nil},
		{"at a later policy", x, b.snapshot(), nil},
		{"at an earlier policy", x, early, admin.ErrSessionNewer},
		{"at its end", x, s.At(date("2026-03-05")), admin.ErrSessionEnded},
		{"pinned, at its policy", roundTrip(t, pinned), s, nil},
		{"pinned, at a later policy", pinned, b.snapshot(), admin.ErrSessionEnded},
		{"the zero session", admin.Session{}, s, rolecall.ErrInvalid},
	} {
		_, err := c.x.View(c.s)
		if !errors.Is(err, c.want) {
			t.Errorf("View of a session %s: got %v, want %v", c.name, err, c.want)
		}
		if _, also := c.x.Decide(c.s, rolecall.Request{Permission: taskView, Scope: alpha}); (also == nil) != (err == nil) {
			t.Errorf("Decide of a session %s: got %v, want as View: %v", c.name, also, err)
		}
		if next, also := c.x.Activate(c.s, "artist"); fmt.Sprint(also) != fmt.Sprint(err) || err != nil && next.Subject != (rolecall.Subject{}) {
			t.Errorf("Activate of a session %s: got %+v and %v, want as View: %v", c.name, next, also, err)
		}
	}
	if _, err := x.Decide(s, rolecall.Request{Permission: taskView, Scope: alpha, Now: date("2026-03-05")}); !errors.Is(err, admin.ErrSessionEnded) {
		t.Errorf("Decide at its end: got %v, want ErrSessionEnded", err)
	}
}

// A session that has all roles is narrowed by naming one: to that one, or to none.
func TestSessionsOfAllRolesAreNarrowed(t *testing.T) {
	s := newBench(t, hats).snapshot()
	all := must[admin.Session](t)(admin.APIKey(s, key, ivy, "*"))
	for name, c := range map[string]struct {
		x    admin.Session
		want []rolecall.RoleName
	}{
		"Activate(lead)":   {must[admin.Session](t)(all.Activate(s, "lead")), []rolecall.RoleName{"lead"}},
		"Deactivate(lead)": {all.Deactivate("lead"), []rolecall.RoleName{}},
	} {
		if diff := cmp.Diff(c.want, roundTrip(t, c.x).Roles); diff != "" {
			t.Errorf("%s of a session of all roles: -want +got\n%s", name, diff)
		}
	}
}

// A token that does not say exactly what a session says is refused: what is overlooked could be a narrowing.
func TestSessionsAreReadExactly(t *testing.T) {
	const good = `{"subject":"user:ivy","roles":["lead"],"only":[],"revision":3}`
	for _, text := range []string{
		strings.Replace(good, `"roles"`, `"Roles"`, 1),
		strings.Replace(good, `"roles"`, `"rolls"`, 1),
		strings.Replace(good, `["lead"]`, `null`, 1),
		strings.Replace(good, `[]`, `null`, 1),
		strings.Replace(good, `[]`, `"*"`, 1),
		strings.Replace(good, `3`, `-3`, 1),
		strings.Replace(good, `3`, `3,"actor":""`, 1),
		strings.Replace(good, `3`, `3,"pinned":"yes"`, 1),
		strings.Replace(good, `3`, `3,"until":"tomorrow"`, 1),
		strings.Replace(good, `3`, `3,"only":["*"]`, 1),
		strings.Replace(good, `3`, `3,"subject":"user:root"`, 1),
		strings.Replace(good, `3`, `3,"role\u0073":["lead","root"]`, 1),
		strings.Replace(good, `ivy`, `\ud800`, 1),
		strings.Replace(good, `lead`, "\xff", 1),
		good + `{}`,
		strings.Replace(good, `,"revision":3`, ``, 1),
		`[]`, `null`, `"user:ivy"`,
	} {
		x := admin.Session{Subject: ivy}
		if err := x.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("Unmarshal(%s): got %+v, want an error", text, x)
		}
	}
	var x admin.Session
	if err := json.Unmarshal([]byte(` { "revision" : 3, "only": [], "roles": ["lead"], "subject": "user:ivy" } `), &x); err != nil {
		t.Errorf("Unmarshal with members in another order: %v, want no error", err)
	}
	if x.Only == nil || !slices.Equal(x.Roles, []rolecall.RoleName{"lead"}) {
		t.Errorf("got %+v, want no pattern and the role lead", x)
	}
}

// A request that waits for a second person is read as exactly as a session is.
func TestRequestsAreReadExactly(t *testing.T) {
	r := admin.ActivationRequest{Activation: withReason(activate(max, shot)), Asked: date("2026-03-01")}
	good := string(must[[]byte](t)(json.Marshal(r)))
	var back admin.ActivationRequest
	if err := json.Unmarshal([]byte(good), &back); err != nil || back != r {
		t.Errorf("Unmarshal(%s): got %+v and %v, want what was written", good, back, err)
	}
	for _, text := range []string{
		good[:len(good)-1] + good[strings.Index(good, `,"asked"`):],
		good[:len(good)-1] + `,"activation":{"subject":"user:pia","role":"root","scope":"/","until":"2026-03-02T00:00:00Z"}}`,
		good[:len(good)-1] + `,"approved":true}`,
		strings.Replace(good, `"asked"`, `"Asked"`, 1),
		good[:strings.Index(good, `,"asked"`)] + `}`,
		`{"asked":"2026-03-01T00:00:00Z"}`, `{"activation":null,"asked":"2026-03-01T00:00:00Z"}`, `null`,
	} {
		x := r
		if err := x.UnmarshalJSON([]byte(text)); err == nil || x != r {
			t.Errorf("Unmarshal(%s): got %+v and %v, want an error and nothing changed", text, x, err)
		}
	}
}

// Whoever manages by a session or a key makes and gives no more than what it leaves, and what it acts for may.
func TestSessionsManage(t *testing.T) {
	ctx := t.Context()
	const keys = `role clerk
  allow rolecall.grant.*
grant service:bot manager at /project:alpha
grant service:rootbot root at /
grant user:pia clerk at /project:alpha
constraint hats dynamic 2 of clerk manager
`
	s := newBench(t, keys).snapshot()
	bot, idle, rootbot := rolecall.Service("bot"), rolecall.Service("idle"), rolecall.Service("rootbot")
	key := func(key, owner rolecall.Subject, only ...rolecall.Pattern) admin.Session {
		return must[admin.Session](t)(admin.APIKey(s, key, owner, only...))
	}
	hat := func(role rolecall.RoleName) admin.Session {
		return must[admin.Session](t)(admin.OpenSession(s, pia, role))
	}
	only := func(who rolecall.Subject, patterns ...rolecall.Pattern) admin.Session {
		return admin.Session{Subject: who, Only: append([]rolecall.Pattern{}, patterns...)}
	}
	for _, c := range []struct {
		name    string
		session admin.Session
		options *admin.Options
		edit    rolecall.Edit
		want    error
	}{
		{"with the role active", hat("manager"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), nil},
		{"with another role active", hat("viewer"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrNotPermitted},
		{"with a role active that does not look", hat("clerk"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrEscalation},
		{"with two hats", admin.Session{Subject: pia, Roles: []rolecall.RoleName{"manager", "clerk"}}, nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrSeparation},
		{"narrowed to what it takes and gives", only(pia, "rolecall.grant.create", "task.view"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), nil},
		{"narrowed to what it takes", only(pia, "rolecall.grant.create"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrEscalation},
		{"narrowed to what it gives", only(pia, "task.view"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrNotPermitted},
		{"narrowed to nothing", only(pia), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrNotPermitted},
		{"narrowed below what is declared later", only(root, "rolecall.grant.create", "budget.view", "budget.update"), nil, rolecall.Put(grantOf(cleo, "accountant", alpha)), rolecall.ErrEscalation},
		{"narrowed to as much", only(root, "rolecall.grant.create", "budget.*"), nil, rolecall.Put(grantOf(cleo, "accountant", alpha)), nil},
		{"by a key that manages too", key(bot, pia, "*"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), nil},
		{"by a key that manages too, narrowed", key(bot, pia, "rolecall.*"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrEscalation},
		{"by a key without roles", key(idle, pia, "*"), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrNotPermitted},
		{"by a key that may more than its owner", key(rootbot, pia, "*"), nil, rolecall.Put(grantOf(cleo, "accountant", alpha)), rolecall.ErrEscalation},
		{"by a key, elsewhere", key(rootbot, pia, "*"), nil, rolecall.Put(grantOf(cleo, "viewer", beta)), rolecall.ErrNotPermitted},
		{"by a key, for a third one", key(bot, pia, "*"), &admin.Options{OnBehalf: root}, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrInvalid},
		{"by a key with active roles", admin.Session{Subject: pia, Actor: bot, Roles: []rolecall.RoleName{"manager"}}, nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrInvalid},
		{"looking through the eyes of root", must[admin.Session](t)(admin.Impersonate(s, pia, root, "*.view")), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrNotPermitted},
		{"after its end", hat("manager").Lasting(s.Now()), nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), admin.ErrSessionEnded},
		{"of a policy to come", admin.Session{Subject: pia, Revision: 7}, nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), admin.ErrSessionNewer},
		{"of nobody", admin.Session{}, nil, rolecall.Put(grantOf(cleo, "viewer", alpha)), rolecall.ErrInvalid},
		{"taking up a role", only(max, "rolecall.grant.activate"), nil, rolecall.Activate(withReason(activate(max, shot))), nil},
		{"taking up a role, narrowed to looking", only(max, "*.view"), nil, rolecall.Activate(withReason(activate(max, shot))), rolecall.ErrNotPermitted},
		{"taking up a role with none active", admin.Session{Subject: max, Roles: []rolecall.RoleName{}}, nil, rolecall.Activate(withReason(activate(max, shot))), rolecall.ErrNotPermitted},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, keys)
			_, err := admin.ForSession(b.r, c.session, c.options).Do(ctx, c.edit)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			if e := b.history()[0]; e.Actor != c.session.Subject && (e.Actor != c.session.Actor || e.OnBehalf != c.session.Subject) {
				t.Errorf("got the entry %+v, want who acted, and for whom", e)
			}
		})
	}
}

func withReason(a rolecall.Activation) rolecall.Activation {
	a.Reason = "covering"
	return a
}

// The shorter ways are narrowed as Do is.
func TestSessionsManageByName(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	looking := admin.ForSession(b.r, admin.Session{Subject: root, Only: []rolecall.Pattern{"*.view"}}, nil)
	_, err := looking.CreateRole(ctx, rolecall.Role{Name: "viewer"})
	wantErr(t, "CreateRole by who only looks", err, rolecall.ErrNotPermitted)
	_, err = looking.Onboard(ctx, admin.Arrival{Subject: cleo, Roles: []rolecall.Grant{{Role: "viewer", Scope: alpha}}})
	wantErr(t, "Onboard by who only looks", err, rolecall.ErrNotPermitted)
	ask := admin.ForSession(b.r, admin.Session{Subject: max, Only: []rolecall.Pattern{"*.view"}}, nil)
	_, err = ask.Ask(withReason(activate(max, shot)))
	wantErr(t, "Ask by who only looks", err, rolecall.ErrNotPermitted)
	narrow := admin.ForSession(b.r, admin.Session{Subject: root, Only: []rolecall.Pattern{"rolecall.role.create"}}, nil)
	b.ok(narrow.CreateRole(ctx, rolecall.Role{Name: "new"}))
}
