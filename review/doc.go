// Package review answers those who have to look after a policy: who has what and through whom, since when, given by
// whom and why, when last used, and until when.
//
// # Reviews
//
// A [Report] is an access review of a place, a subject or a role. Each [Row] is one grant or override that reaches
// somebody, with the groups on the way to it, and tells exactly what it gives there: every answer in a report is that of
// the check. Reports are data, CSV, and a page of HTML that needs nothing outside of it.
//
//	provenance, err := rolecall.Trace(ctx, store, snapshot)
//	…
//	report, err := review.OfScope(snapshot, alpha, &review.Options{Provenance: provenance, LastUsed: usage.LastUsed})
//	…
//	err = report.WriteHTML(file)
//
// # The past
//
// [AsOf] and [AtRevision] give the policy as it was, to be asked like any snapshot: who held what on 3 March? [Compare]
// tells two policies apart by what they say and by what everybody may do.
//
// # Roles and their presets
//
// [CompareWithPreset] tells what became of roles since they were made; [Restore] and [Clone] make edits for a change.
//
// # Use
//
// A [Usage] tells what was used, by whom, where and when last. It is made of the readings of a rolecall.Meter, which a
// resolver is given:
//
//	var usage *review.Usage // nothing yet, or what was kept as JSON
//	meter := rolecall.NewMeter(nil)
//	resolver, err := rolecall.Open(ctx, store, catalog, &rolecall.Options{Meter: meter})
//	…
//	usage = review.MergeUsage(usage, review.NewUsage(meter.Collect())) // every few minutes
//
// [ReportUse] tells what was not used of what roles allow and subjects are given, [ProposeRoles] proposes roles that fit
// what was used, and [CoverWithRoles] chooses few roles that give what somebody needs and little else.
//
// # Lint
//
// [Lint] looks for what is unused, needless, too wide or fragile in a policy. Each [Diagnostic] has a stable code and
// proposes a change; docs/lint.md tells of every code.
package review
