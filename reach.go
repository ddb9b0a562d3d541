package rolecall

// A Reach is one question asked of many subjects: an event about a target, and thousands of connections that it may be
// shown to. The permission is found and the way to the target walked once; what is left of a check costs less than a
// microsecond. It answers as the check does, windows and suspensions included.
//
// A Reach belongs to one goroutine. It never goes stale, since its snapshot and its instant never change, and is to be
// dropped with them.
type Reach struct {
	question question
	once     askedOnce // the facts that are the same for all
	stranger Reason    // the answer for whoever the policy names nowhere
}

// Reach makes the question of p at t ready. facts answer the conditions that are the same for all subjects, each asked
// once; nil facts say that none of them holds. An error says that the question is invalid, names something not declared,
// or that the snapshot has no instant.
func (s *Snapshot) Reach(p Permission, t Scope, facts Facts) (*Reach, error) {
	if s.at.IsZero() {
		return nil, errNoInstant()
	}
	r := &Reach{}
	everyone := Everyone()
	if err := r.question.ready(s.policy, &everyone, &p, &t); err != nil {
		return nil, err
	}
	if err := r.question.giveFacts(facts); err != nil {
		return nil, err
	}
	r.question.answers.facts = r.once.of(facts)
	r.question.now = instant{at: s.at}
	r.stranger = r.question.verdictFor(nil)
	return r, nil
}

// Allows says whether who may do it. own answers conditions for this subject, beside the facts of the Reach: a
// condition holds where one of them says so. It is false where the subject or a given condition is invalid or not
// declared.
func (r *Reach) Allows(who Subject, own ...Facts) bool {
	q := &r.question
	h := q.policy.holder(who)
	if h == nil && q.policy.catalog.checkSubject("request", who) != nil {
		return false
	}
	if len(own) > 0 {
		return r.allowsWith(h, own)
	}
	if h == nil {
		return r.stranger == Granted
	}
	return q.verdictFor(h) == Granted
}

func (r *Reach) allowsWith(h *holder, own []Facts) bool {
	q := r.question
	q.answers = answers{}
	facts := make(severalFacts, 0, len(own)+1)
	facts = append(append(facts, r.question.answers.facts), own...)
	return q.giveFacts(facts) == nil && q.verdictFor(h) == Granted
}
