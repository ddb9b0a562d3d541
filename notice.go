package rolecall

// What may be shown to whoever asked.

// Notice returns a short text for whoever asked: what was asked, by the title that the catalog gives it, whether it is
// allowed, and what kind of thing stands against it. It names no role, group, condition or other subject, and is the same
// for all policies that answer with the same reason. A nil catalog gives no titles.
func (d Decision) Notice(c *Catalog) string {
	return notice(c, d.request.Permission, d.request.Scope, d.reason)
}

// Notice returns a short text for whoever was refused, as Decision.Notice does.
func (e *DeniedError) Notice(c *Catalog) string { return notice(c, e.Permission, e.Scope, e.Reason) }

func notice(c *Catalog, p Permission, t Scope, r Reason) string {
	what := c.title(p) + " at " + t.String()
	if r == Granted {
		return "You may do this: " + what + "."
	}
	return "You may not do this: " + what + ". " + r.notice()
}

func (c *Catalog) title(p Permission) string {
	if c != nil {
		for _, d := range c.declared.Permissions {
			if d.Permission == p && d.Title != "" {
				return d.Title
			}
		}
	}
	return p.String()
}

// notice tells no more than somebody without access should know: all that stands against them is one thing.
func (r Reason) notice() string {
	switch r {
	case NothingSaid:
		return "It has not been opened to you there."
	case Denied, Overridden, Forbidden, Private:
		return "It is closed to you there."
	case Suspended:
		return "The access that it takes is suspended."
	case OutsideWindow:
		return "The access that it takes has ended, or has not begun yet."
	case ConditionFails:
		return "It is open to you only under a condition that is not met now."
	case ConditionUnknown:
		return "It could not be found out whether its condition is met."
	case Narrowed:
		return "The session or key that you use does not include it."
	}
	return "It is not allowed."
}
