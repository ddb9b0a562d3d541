package policy_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/testneeds"
	"github.com/rolecall-go/rolecall/policy"
)

// Values are written in one spelling, whatever the order and the spelling they come in.
func TestFormat(t *testing.T) {
	const src = `
private /project:secret
suspend user:bob
constraint c static 2 of viewer artist
override user:ada deny task.view at / until 2026-07-01T02:00:00+02:00 from 2026-01-01T12:00:00Z
grant user:ada viewer at / eligible pierce
grant user:ada viewer at / replace
member user:ada of group:g
kind subject contractor
role viewer "V"
  allow task.view
  except task.view when own
role artist holders user,group scopes project,/
  allow task.update task.update
  inherits viewer
  deny *.view
  allow *.delete
  description "Works"
kind scope project "Project"
condition own "It is \"own\""
permission task.view "See" group "Tasks"
permission task.update
private /project:secret
`
	const want = `permission task.update
permission task.view "See" group "Tasks"

condition own "It is \"own\""

kind scope project "Project"

kind subject contractor

role artist holders group,user scopes /,project
  description "Works"
  inherits viewer
  allow *.delete task.update
  deny *.view

role viewer "V"
  allow task.view
  except task.view when own

member user:ada of group:g

grant user:ada viewer at / replace
grant user:ada viewer at / pierce eligible

override user:ada deny task.view at / from 2026-01-01T12:00:00Z until 2026-07-01

suspend user:bob

private /project:secret

constraint c static 2 of artist viewer
`
	f, err := policy.Parse("f", []byte(src))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	got := policy.Format(f.Declarations, f.Statements)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Format: -want +got\n%s", diff)
	}
	again, err := policy.Parse("f", got)
	if err != nil {
		t.Fatalf("Parse of what Format wrote: %v", err)
	}
	if diff := cmp.Diff(string(got), string(policy.Format(again.Declarations, again.Statements))); diff != "" {
		t.Errorf("Format of what it wrote: -want +got\n%s", diff)
	}
}

// Every instant that a policy may name can be written and read again.
func TestFormatEveryInstant(t *testing.T) {
	for _, until := range []time.Time{
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		time.Date(1582, 10, 10, 12, 0, 0, 0, time.FixedZone("", -43200)), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		m := rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group("g"), Window: rolecall.Window{NotAfter: until}}
		catalog, err := rolecall.NewCatalog(rolecall.Declarations{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rolecall.NewSnapshot(catalog, m); err != nil {
			t.Fatalf("NewSnapshot(%v): %v", m, err)
		}
		text := policy.Format(rolecall.Declarations{}, []rolecall.Statement{m})
		f, err := policy.Parse("f", text)
		if err != nil || !rolecall.Equal(f.Statements[0], m) {
			t.Errorf("Parse(%q): %v, want %v", text, err, m)
		}
	}
}

// Tidying a file keeps its order, its comments, its blank lines and its steps.
func TestFormatSource(t *testing.T) {
	const src = "\uFEFF\r\n\n#  A studio.\t \r \n\n\n\n" + `permission   task.view "See \u0061 task"	# seen
      kind scope project
role   viewer scopes project "V"
# what viewers see
    allow   task.view	when   assigned
    # allow task.update
# The grants.
   grant user:ada viewer pierce until 2026-07-01T02:00:00+02:00 at / replace

expect deny user:ada task.view now 2026-07-01T00:00:00Z given unknown a given b at /
expect   allow user:ada   Task.viw at /  #  wrong
do role viewer
allow task.view
expect scopes user:ada task.view now 2026-01-01 among / /project:x = none
refuse   unknown   by user:x activate user:ada viewer "r" until 2026-01-01T00:00:00Z at /

  # the end

`
	const want = `#  A studio.

permission task.view "See a task"  # seen
kind scope project
role viewer "V" scopes project
  # what viewers see
  allow task.view when assigned
  # allow task.update
# The grants.
grant user:ada viewer at / replace pierce until 2026-07-01

expect deny  user:ada task.view at / given unknown a given b now 2026-07-01
expect allow user:ada Task.viw at /  #  wrong
do role viewer
  allow task.view
expect scopes user:ada task.view among / /project:x now 2026-01-01 = none
refuse unknown by user:x activate user:ada viewer at / until 2026-01-01 "r"

# the end
`
	got, err := policy.FormatSource("f", []byte(src))
	if err != nil {
		t.Fatalf("FormatSource: %v", err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("FormatSource: -want +got\n%s", diff)
	}
	again, err := policy.FormatSource("f", got)
	if err != nil {
		t.Fatalf("FormatSource of what it wrote: %v", err)
	}
	if diff := cmp.Diff(string(got), string(again)); diff != "" {
		t.Errorf("FormatSource of what it wrote: -want +got\n%s", diff)
	}
}

// A role goes on until something else begins, over blank lines and comments and without indentation; the tidy file shows it.
func TestFormatSourceShowsWhatARoleSays(t *testing.T) {
	const src = "role viewer\n  allow task.view\n\n# What nobody may.\n\ndeny task.delete\nsuspend user:ada\n"
	const want = "role viewer\n  allow task.view\n\n  # What nobody may.\n\n  deny task.delete\nsuspend user:ada\n"
	got, err := policy.FormatSource("f", []byte(src))
	if err != nil {
		t.Fatalf("FormatSource(%q): %v", src, err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("FormatSource(%q): -want +got\n%s", src, diff)
	}
}

// A file with a fault is not formatted at all.
func TestFormatSourceRefusesFaults(t *testing.T) {
	got, err := policy.FormatSource("f", []byte("suspend user:ada\nsuspend\n"))
	if got != nil || err == nil || !strings.HasPrefix(err.Error(), "f:2:1: ") {
		t.Errorf("FormatSource of a file with a fault in line 2: got %q and %v, want nothing and the fault", got, err)
	}
}

// The golden scenarios are tidy, but for instants that are not in UTC.
func TestFormatSourceLeavesTidyFiles(t *testing.T) {
	for _, name := range testneeds.Scenarios(t, "..") {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := policy.FormatSource(name, src)
		if err != nil {
			t.Errorf("FormatSource(%s): %v", name, err)
			continue
		}
		want := strings.NewReplacer("2026-06-15T18:00:00-04:00", "2026-06-15T22:00:00Z", "2026-02-28T19:00:00-05:00", "2026-03-01").Replace(string(src))
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("FormatSource(%s): -want +got\n%s", name, diff)
		}
	}
}
