package rolecall

import (
	"strings"
	"time"
)

// Taking up eligible grants.

// activate turns an eligible grant into an ordinary one. Where several serve, one of the nearest subject does; of these an
// unconditional one before one with a condition, and then the one furthest in.
func (d *draft) activate(a Activation, m Meta) {
	before := len(d.problems)
	want := Grant{Subject: a.Subject, Role: a.Role, Scope: a.Scope}
	if !d.checkKey(want) {
		return
	}
	if strings.TrimSpace(a.Reason) == "" {
		d.refuse(ErrInvalid, want, "", "an activation has a reason")
	}
	d.checkText(want, a.Reason)
	if a.Until.IsZero() || !a.Until.After(m.Time) {
		d.refuse(ErrInvalid, want, FormatTime(a.Until), "an activation has an end in the future")
		return
	}
	if d.roles.find(a.Role) == nil {
		d.undefined(nil, want, a.Role)
	}
	eligible, found := d.eligibleFor(a, m)
	if !found {
		d.refuse(ErrNotEligible, want, a.Subject.String(), "there is no eligible grant of role %s that is valid from now until then", a.Role)
	}
	if len(d.problems) > before {
		return
	}
	g := eligible
	g.Subject, g.Scope, g.Eligible, g.Window = a.Subject, a.Scope, false, Window{NotAfter: a.Until}
	h := d.holder(g.Subject)
	if i := d.grantIndex(h, d.place(g.Scope), g); i >= 0 {
		g = d.grant(h, &h.grants[i])
		if g.NotAfter.IsZero() || !a.Until.After(g.NotAfter) {
			return
		}
		g.NotAfter = a.Until
	}
	d.put(g)
}

func (d *draft) eligibleFor(a Activation, m Meta) (best Grant, found bool) {
	role, h := d.roles.find(a.Role), d.holder(a.Subject)
	if role == nil {
		return best, false
	}
	var way path
	d.walk(&a.Scope, &way)
	for _, b := range d.eligibleThrough(h, m.Time, a.Until) {
		for depth := way.n - 1; depth >= 0; depth-- {
			for _, x := range b.grantsAt(way.places[depth]) {
				if x.role != role.number || x.marks&markEligible == 0 || !b.window(x.terms).lasts(m.Time, a.Until) {
					continue
				}
				if !found || b.when(x.terms) == 0 && best.When != "" && best.Subject == b.subject {
					best, found = d.grant(b, &x), true
				}
			}
		}
	}
	return best, found
}

// lasts says whether the window is open now and stays open until then.
func (w Window) lasts(now, until time.Time) bool {
	return w.Open(now) && (w.NotAfter.IsZero() || !until.After(w.NotAfter))
}
