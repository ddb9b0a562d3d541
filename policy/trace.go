package policy

import "github.com/rolecall-go/rolecall"

// Trace runs the steps as Run does, and tells each the decision behind every answer: of an expectation about one
// question that decision, of one about a list the decision on each candidate. It is told before the result is known, in
// the order of the steps, of what can be decided only; a question that is an error has no decision. Which statements
// decided is what a coverage of the policy is made of.
func (f *File) Trace(s *rolecall.Snapshot, each func(Step, rolecall.Decision)) []Result {
	return f.run(s, func(r *runner, step Step) {
		if a, asks := step.action.(asker); asks {
			a.ask(r, func(q *question, who rolecall.Subject, p rolecall.Permission, t rolecall.Scope) {
				if d, err := r.decide(q, who, p, t); err == nil {
					each(step, d)
				}
			})
		}
	})
}

// An asker is an action that asks questions.
type asker interface {
	ask(r *runner, one questioner)
}

// A questioner takes a question about one subject, permission and scope.
type questioner func(*question, rolecall.Subject, rolecall.Permission, rolecall.Scope)

func (e *expectDecision) ask(r *runner, one questioner) {
	one(&e.question, e.subject, e.permission, e.scope)
}

func (e *expectScopes) ask(r *runner, one questioner) {
	for _, t := range e.among {
		one(&e.question, e.subject, e.permission, t)
	}
}

func (e *expectSubjects) ask(r *runner, one questioner) {
	for s := range r.snapshot.Subjects() {
		if !s.IsGroup() {
			one(&e.question, s, e.permission, e.scope)
		}
	}
	one(&e.question, r.stranger(), e.permission, e.scope)
}

func (e *expectPermissions) ask(r *runner, one questioner) {
	for _, d := range r.snapshot.Catalog().Declarations().Permissions {
		one(&e.question, e.subject, d.Permission, e.scope)
	}
}
