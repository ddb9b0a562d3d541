// Package policy reads, checks, formats and runs Rolecall's text form: policies as people review them in version
// control, and scenarios, which are policies followed by steps that say what must come out.
//
//	permission task.update "Edit a task" group "Tasks"
//	condition assigned "The subject is assigned to the target"
//	kind scope project "Project"
//	role artist "Artist" holders user,group scopes project,/
//	  description "Works on shots"
//	  allow task.update when assigned
//	grant user:ada artist at /project:alpha until 2026-07-01
//
//	expect allow user:ada task.update at /project:alpha given assigned
//	expect deny  user:ada task.update at /project:alpha now 2026-07-01 given assigned
//	do suspend user:ada
//	refuse in-use remove role artist
//
// Load is what a program needs; Parse only looks at the form. File.Run runs the steps. Format writes values,
// FormatSource tidies what a person wrote. ParseEdits reads a change by itself.
//
// # Lines
//
// A file is UTF-8, one statement or step a line; the body of a role goes on over the lines that follow it. Words are
// separated by spaces and tabs. # starts a comment at the start of a line or after a blank. Lines may end in CR LF, and
// a byte order mark at the start is ignored. No other character breaks a line: one at which an editor might is refused, in
// comments and strings too, so that what looks like a statement is one. Indentation means nothing; columns in errors count
// bytes.
//
// The words of a line come first and stand in their order; the clauses after them (at, when, from, given, …) stand in
// any order, each once. The lines of a policy stand in any order too, but before the steps: what changes the policy
// between steps is a step itself and starts with do.
//
// What is said twice counts once. Two different statements with one key, two different titles of one name and two
// clocks are errors at the second one.
//
// # Steps
//
// Steps are judged in their order, each on what the steps before it have made of the policy. A step may name what is
// not declared, or no name at all: that is an error of the step when it runs, which expect error and refuse can want.
// A step whose form is wrong (a clause that does not exist, a word that is missing, a malformed time, a code that is
// none) is an error of the file.
//
// Expected lists are sets: order and repetitions do not matter. The subjects of a list may be asked with vouched-for
// groups, an actor and a narrowing as well; then each subject is asked by itself, which takes longer.
package policy
