package rolecall

import "context"

// An Observation is one answer that was given, as an Observer is told of it.
type Observation struct {
	Subject    Subject
	Actor      Subject // who acts on behalf of Subject, zero where nobody does
	Permission Permission
	Scope      Scope
	Revision   Revision // of the policy that was asked, zero where it could not be
	// Err is the answer: nil for yes, ErrDenied for no, anything else where it could not be found out.
	Err error
	// Decision explains the answer where one was asked for; nil otherwise.
	Decision *Decision
}

// An Observer is told of each answer after it was worked out and before the caller gets it, by the goroutine that asked:
// it is safe for concurrent use, returns soon, and cannot change the answer. decisionlog writes them down and counts
// them, rolecalltest records them.
type Observer func(context.Context, Observation)

// A BatchObservation is many answers that were given to one subject at once: for a page of targets, or as a set of scopes.
type BatchObservation struct {
	Subject     Subject
	Actor       Subject // who acts on behalf of Subject, zero where nobody does
	Permissions []Permission
	Kind        ScopeKind // of the scopes of a set, empty for a page of targets
	// Asked is how many answers there are: each permission at each target, or one set. Granted is how many of them are
	// yes; a set is, unless it is empty.
	Asked, Granted int
	Revision       Revision // of the policy that was asked
	Err            error    // why there are no answers
}

// A BatchObserver is told of answers that were given at once, as an Observer is of single ones: whoever shows a page of
// a thousand rows asks one question, and is one line in a log.
type BatchObserver func(context.Context, BatchObservation)

// denialKind returns the kind of a denial, whichever of the errors that are ErrDenied it is.
func denialKind(err error) (Reason, bool) {
	switch err := err.(type) {
	case Reason:
		return err, true
	case *DeniedError:
		return err.Reason, true
	}
	return 0, false
}

// Reason returns the kind of answer, Granted for yes, and false where it could not be found out.
func (o Observation) Reason() (Reason, bool) {
	if o.Err == nil {
		return Granted, true
	}
	return denialKind(o.Err)
}
