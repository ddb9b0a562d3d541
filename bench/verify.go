package bench

import (
	"errors"
	"fmt"

	"github.com/rolecall-go/rolecall"
)

var errWrongAnswer = errors.New("wrong answer")

// Verify asks every question of the snapshot, directly and through views, and returns an error where an answer is not
// the right one.
func Verify(snapshot *rolecall.Snapshot, questions []Question) error {
	for i := range questions {
		q := &questions[i]
		if err := verifyOne(q, snapshot.Check(q.Subject, q.Permission, q.Scope, q.Facts())); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
		view, err := snapshot.For(q.Subject, nil)
		if err != nil {
			return err
		}
		for range 2 {
			if err := verifyOne(q, view.Check(q.Permission, q.Scope, q.Facts())); err != nil {
				return fmt.Errorf("view: %w", err)
			}
		}
	}
	return nil
}

func verifyOne(q *Question, err error) error {
	if err != nil && !errors.Is(err, rolecall.ErrDenied) {
		return err
	}
	if (err == nil) != q.Allowed {
		return fmt.Errorf("%w: %v %v at %v with assigned %v: got %v, want allowed %v", errWrongAnswer, q.Subject, q.Permission, q.Scope, q.Assigned, err, q.Allowed)
	}
	return nil
}
