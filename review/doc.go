// Package review answers those who have to look after a policy.
//
// # Use
//
// A [Usage] tells what was used, by whom, where and when last. It is made of the readings of a rolecall.Meter, which a
// resolver is given:
//
//	meter := rolecall.NewMeter(nil)
//	resolver, err := rolecall.Open(ctx, store, catalog, &rolecall.Options{Meter: meter})
//	…
//	usage = review.MergeUsage(usage, review.NewUsage(meter.Collect())) // every few minutes
package review
