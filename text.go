package rolecall

import "strconv"

// quote writes a title or a reason as the text form does.
func quote(s string) string { return strconv.Quote(s) }
