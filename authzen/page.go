package authzen

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"github.com/rolecall-go/rolecall"
)

// A page is which part of the results a request wants.
type page struct {
	asked     bool // the request has a page object
	limit     int
	continued bool   // it goes on after a key
	after     string // that key
	key       []byte
	bound     pageToken // what its tokens are bound to
}

// A pageToken is what a token says, in JSON, sealed and in base64.
type pageToken struct {
	Query      string            `json:"q"`           // digest of the search and its entities
	Limit      string            `json:"l,omitempty"` // as it was asked for
	Properties string            `json:"p,omitempty"` // digest of the page's properties
	History    string            `json:"h,omitempty"`
	Revision   rolecall.Revision `json:"r"`
	After      string            `json:"a"`
	Started    bool              `json:"s"`
}

const (
	minPageKey = 32
	sealSize   = 16
)

// readPage reads which page is wanted. A token belongs to one search at one revision; the limit and the properties of
// the page may be left out when going on, and are then what they were.
func (s *session) readPage(what string, e Evaluation, request object) (page, error) {
	p := page{limit: s.o.MaxResults, key: s.o.PageKey}
	p.bound = pageToken{Query: digest(what, e), History: s.snapshot.History(), Revision: s.snapshot.Revision()}
	o, err := request.optionalObject("", "page")
	if err != nil {
		return p, err
	}
	p.asked = o != nil
	if p.bound.Limit, err = o.limit(); err != nil {
		return p, err
	}
	properties, err := o.optionalObject("page", "properties")
	if err != nil {
		return p, err
	}
	if properties != nil {
		p.bound.Properties = digest("properties", properties)
	}
	token, err := o.text("page", "token")
	if err != nil {
		return p, err
	}
	if token != "" {
		if err := p.resume(token); err != nil {
			return p, err
		}
	}
	if n, err := strconv.Atoi(p.bound.Limit); err == nil { // there is a limit
		p.limit = min(p.limit, n)
	}
	return p, nil
}

// limit returns page.limit as digits, empty where it is not there.
func (o object) limit() (string, error) {
	v, there := o["limit"]
	if !there || v == nil {
		return "", nil
	}
	n, ok := v.(float64)
	if !ok || n != math.Trunc(n) || n < 0 {
		return "", bad("page.limit is not a whole number from 0 on")
	}
	return strconv.Itoa(int(min(n, math.MaxInt32))), nil
}

// resume goes on where a token says.
func (p *page) resume(token string) error {
	t, ok := unseal(p.key, token)
	switch {
	case !ok:
		return bad("page.token is not one of ours")
	case t.Query != p.bound.Query:
		return bad("page.token belongs to another search")
	case p.bound.Limit != "" && p.bound.Limit != t.Limit:
		return bad("page.limit is not what it was on the page before")
	case p.bound.Properties != "" && p.bound.Properties != t.Properties:
		return bad("page.properties are not what they were on the page before")
	case t.History != p.bound.History || t.Revision != p.bound.Revision:
		return bad("the policy has changed since the page before; start again without page.token")
	}
	p.bound.Limit, p.bound.Properties = t.Limit, t.Properties
	p.continued, p.after = t.Started, t.After
	return nil
}

// token returns where to go on. Without started the next page begins at the beginning, as with a limit of zero.
func (p *page) token(after string, started bool) string {
	t := p.bound
	t.After, t.Started = after, started
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(append(seal(p.key, text), text...))
}

// unseal returns what a token says if it has our seal, and no other spelling of it.
func unseal(key []byte, token string) (pageToken, bool) {
	var t pageToken
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != token || len(raw) < sealSize {
		return t, false
	}
	if !hmac.Equal(raw[:sealSize], seal(key, raw[sealSize:])) {
		return t, false
	}
	return t, json.Unmarshal(raw[sealSize:], &t) == nil
}

func seal(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)[:sealSize]
}

// digest identifies a search and its entities.
func digest(what string, of any) string {
	text, err := json.Marshal([]any{what, of}) // the members of objects are sorted
	if err != nil {
		panic(err) // strings, and what was read from JSON
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
