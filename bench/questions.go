package bench

import (
	"math/rand/v2"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// A Question is a check with its right answer. Its subject and scope are values of their own: no string of theirs is
// shared with what was loaded. They lie in memory in the order in which they are asked, as does what the unit asks for:
// a host has just read them from a request.
type Question struct {
	Subject    rolecall.Subject
	Permission rolecall.Permission
	Scope      rolecall.Scope
	Assigned   bool // the condition holds
	Allowed    bool
}

func (q *Question) holds(c rolecall.Condition) bool { return c == "" || c == assigned && q.Assigned }

// Facts returns what answers conditions for the question.
func (q *Question) Facts() rolecall.Facts {
	if q.Assigned {
		return rolecall.Given{assigned}
	}
	return rolecall.Given{}
}

// A Draw says whom questions are about.
type Draw uint8

// The draws.
const (
	Uniform = Draw(iota) // every user equally often
	Zipf                 // user i about as often as 1/(i+1) says
)

// Questions returns n questions about random users, half of them allowed, in random order. Projects of denied ones are
// Zipf-distributed; allowed ones lie where the user or one of its groups has something, and so follow the grants.
func (s *Studio) Questions(n int, draw Draw) []Question {
	r := s.rand(streamQuestions, int(draw))
	common := newNaive(s.Now, s.Common())
	return s.ask(r, n, common, func() (int, *naive) {
		user := r.IntN(s.Users)
		if draw == Zipf {
			user = zipf(r, s.Users) * 7919 % s.Users
		}
		return user, s.about(common, user)
	})
}

// QuestionsOf returns n questions about one user.
func (s *Studio) QuestionsOf(user, n int) []Question {
	common := newNaive(s.Now, s.Common())
	mine := s.about(common, user)
	return s.ask(s.rand(streamQuestions, user+10), n, common, func() (int, *naive) { return user, mine })
}

// patience is how many questions are tried about a user before another one is drawn: some are allowed nothing that is
// not everyone's.
const patience = 12

// ask draws users and asks two questions about each, one of them allowed. It gives up with fewer where it draws a
// thousand users of whom nothing, or everything, seems to be allowed.
func (s *Studio) ask(r *rand.Rand, n int, common *naive, whom func() (int, *naive)) []Question {
	list := make([]Question, 0, n)
	for vain := 0; len(list) < n && vain < 1_000; vain++ {
		user, mine := whom()
		if yes, ok := s.find(r, user, mine, true); ok {
			if no, ok := s.find(r, user, mine, false); ok {
				list = append(list, yes, no)
				vain = 0
			}
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:min(n, len(list))]
	for i := range list {
		q := &list[i]
		q.Subject, q.Scope = rolecall.NewSubject(q.Subject.Kind(), strings.Clone(q.Subject.ID())), copyScope(q.Scope)
	}
	return list
}

// find returns a question about a user that has that answer.
func (s *Studio) find(r *rand.Rand, user int, mine *naive, want bool) (q Question, found bool) {
	for range patience {
		q = s.candidate(r, user, mine, want)
		if q.Allowed = mine.allowed(&q); q.Allowed == want {
			return q, true
		}
	}
	return q, false
}

func (s *Studio) candidate(r *rand.Rand, user int, mine *naive, want bool) Question {
	q := Question{Subject: s.User(user), Permission: s.Permissions[r.IntN(len(s.Permissions))], Assigned: s.Variant&Conditions != 0 && r.IntN(2) == 0}
	at := s.Project(zipf(r, s.Projects))
	if want {
		at = mine.grants[r.IntN(len(mine.grants))].Scope
	}
	depth := []int{1, 1, 2, 2, 2, 3, 3, 3, 4, 4}[r.IntN(10)]
	for deeper := at; deeper.Depth() < depth; {
		switch deeper.Depth() {
		case 0:
			deeper = s.Project(zipf(r, s.Projects))
		case 1:
			deeper = shot(r, deeper)
		case 2:
			deeper = task(r, deeper)
		default:
			deeper = version(r, deeper)
		}
		at = deeper
	}
	q.Scope = copyScope(at)
	return q
}

// copyScope returns the scope with text of its own.
func copyScope(t rolecall.Scope) rolecall.Scope {
	c, err := rolecall.ParseScope(t.String())
	if err != nil {
		panic(err)
	}
	return c
}
