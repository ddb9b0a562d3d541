package sqlstore

import "time"

// timeLayout is RFC 3339 of one width, so that instants sort as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// instantText writes an instant so that it compares with those in the tables. What cannot be written there is before or
// after all of them.
func instantText(t time.Time) string {
	t = t.UTC()
	switch year := t.Year(); {
	case year < 0:
		return ""
	case year > 9999:
		return "~"
	default:
		return t.Format(timeLayout)
	}
}

func parseTime(text string) (time.Time, error) { return time.Parse(timeLayout, text) }
