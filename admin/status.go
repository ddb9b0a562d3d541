package admin

import (
	"errors"

	"github.com/rolecall-go/rolecall"
)

// statuses are what a server answers to an edit that failed, in the order in which they count.
var statuses = []struct {
	status int
	errors []error
}{
	{401, []error{ErrSessionEnded}},
	{403, []error{rolecall.ErrNotPermitted, rolecall.ErrEscalation, rolecall.ErrNotEligible, rolecall.ErrLastAdmin, ErrNeedsApproval}},
	{400, []error{rolecall.ErrInvalid, rolecall.ErrUnknown, rolecall.ErrLimit, rolecall.ErrHolder}},
	{409, []error{rolecall.ErrSeparation, rolecall.ErrInUse, rolecall.ErrCycle, rolecall.ErrConflict}},
}

// HTTPStatus returns the status that answers an edit which ended with err, and 200 for none: 401 where the session is over,
// 403 where the actor may not or a hook said no, 400 where the edit names what is not there or cannot be, 409 where it
// contradicts what stands, and otherwise 503: then it is not known whether the policy was changed. Of several problems the
// first of these counts. The text of err names subjects, roles and places: it is for administrators and for the log.
func HTTPStatus(err error) int {
	var veto *VetoError
	switch {
	case err == nil:
		return 200
	case errors.As(err, &veto):
		return 403
	}
	for _, s := range statuses {
		for _, target := range s.errors {
			if errors.Is(err, target) {
				return s.status
			}
		}
	}
	return 503
}
