package bench

import (
	"errors"
	"testing"

	"github.com/rolecall-go/rolecall"
)

var variants = []Variant{Plain, Denies, Replaces, Privates, Windows, Conditions, Mixed, Mixed | Conditions}

// The engine answers as the naive evaluator does, by snapshot and by view, for every variant.
func TestAnswers(t *testing.T) {
	for _, size := range Sizes("SM") {
		for _, v := range variants {
			t.Run(size.Name+"/"+v.String(), func(t *testing.T) {
				s := NewStudio(size, v, 1)
				snapshot, err := s.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				for _, draw := range []Draw{Uniform, Zipf} {
					if err := Verify(snapshot, s.Questions(2_000, draw)); err != nil {
						t.Error(err)
					}
				}
				if err := Verify(snapshot, s.QuestionsOf(7, 500)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Judging by what bears on a user gives what judging by the whole policy does.
func TestWholePolicy(t *testing.T) {
	for _, v := range variants {
		s := NewStudio(Small(), v, 1)
		whole := newNaive(s.Now, nil)
		for st := range s.Statements() {
			whole.add([]rolecall.Statement{st})
		}
		for _, q := range s.Questions(300, Uniform) {
			if got := whole.allowed(&q); got != q.Allowed {
				t.Errorf("%v: whole policy says %v of %v %v at %v, want %v", v, got, q.Subject, q.Permission, q.Scope, q.Allowed)
			}
		}
	}
}

// The numbers of what a size holds are about those that it promises.
func TestCounts(t *testing.T) {
	for _, size := range Sizes("SM") {
		grants, deepest := 0, 0
		s := NewStudio(size, Plain, 1)
		for st := range s.Statements() {
			if g, ok := st.(rolecall.Grant); ok {
				grants++
				deepest = max(deepest, g.Scope.Depth())
			}
		}
		if extra := min(size.Users, EditedBy) + 61; grants < size.Grants*8/10 || grants > size.Grants*11/10+extra {
			t.Errorf("%s: %d grants, want about %d", size.Name, grants, size.Grants)
		}
		if deepest != 3 {
			t.Errorf("%s: the deepest grant lies %d segments deep, want 3", size.Name, deepest)
		}
	}
}

// A wrong answer is found: no benchmark runs on one.
func TestVerifyFindsWrongAnswers(t *testing.T) {
	s := NewStudio(Small(), Plain, 1)
	snapshot, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	questions := s.Questions(10, Uniform)
	questions[3].Allowed = !questions[3].Allowed
	if err := Verify(snapshot, questions); !errors.Is(err, errWrongAnswer) {
		t.Errorf("Verify(with a wrong answer) = %v, want %v", err, errWrongAnswer)
	}
}
