package admin

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/rolecall-go/rolecall"
)

// A Hash is that of a link of the chain, and thereby of every entry up to it. The zero Hash comes before the first one.
type Hash [sha256.Size]byte

// String returns the hash in hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads exactly 64 lower-case hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	var next Hash
	_, err := hex.Decode(next[:], text[:min(len(text), hex.EncodedLen(len(next)))])
	if err != nil || next.String() != string(text) {
		return fmt.Errorf("a hash is %d lower-case hexadecimal digits, not %q", 2*len(next), text)
	}
	*h = next
	return nil
}

// A Head is where a chain ends, or where one goes on: the revision and the hash of its last link. Kept elsewhere, out of
// reach of whoever could rewrite the history, it lets Verify notice that the end was cut off, or that everything was
// rewritten. The zero Head is where the history of a new store begins.
type Head struct {
	Revision rolecall.Revision `json:"revision"`
	Hash     Hash              `json:"hash"`
}

// A Link is an entry of the history in a chain: its hash covers the entry, byte for byte as written, and the hash of the
// link before.
type Link struct {
	Previous Hash            `json:"previous"`
	Entry    json.RawMessage `json:"entry"`
	Hash     Hash            `json:"hash"`
}

// hashDomain keeps the hashes of this chain apart from any other use of the same bytes.
const hashDomain = "rolecall audit chain 1\n"

func (l Link) hash() Hash {
	h := sha256.New()
	io.WriteString(h, hashDomain)
	h.Write(l.Previous[:])
	h.Write(l.Entry)
	return Hash(h.Sum(nil))
}

// Read returns the entry.
func (l Link) Read() (rolecall.Entry, error) {
	var e rolecall.Entry
	err := json.Unmarshal(l.Entry, &e)
	return e, err
}

// Chain links the entries of a history that follow a head, for example those of Store.Changes after its revision. It
// ends with an error where they do not follow, or where the history has one.
func Chain(after Head, history iter.Seq2[rolecall.Entry, error]) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		at := after
		for e, err := range history {
			if err == nil && e.Revision != at.Revision+1 {
				err = fmt.Errorf("revision %d does not follow revision %d", e.Revision, at.Revision)
			}
			link := Link{Previous: at.Hash}
			if err == nil {
				link.Entry, err = json.Marshal(e)
			}
			if err != nil {
				yield(Link{}, fmt.Errorf("chain the history: %w", err))
				return
			}
			link.Hash = link.hash()
			at = Head{e.Revision, link.Hash}
			if !yield(link, nil) {
				return
			}
		}
	}
}

// A BrokenChainError says where a chain is not what it was.
type BrokenChainError struct {
	After  Head   // the last link that is as it was
	Detail string // what is wrong with the next one
}

// Error tells where and what.
func (b *BrokenChainError) Error() string {
	return fmt.Sprintf("the chain is broken after revision %d: %s", b.After.Revision, b.Detail)
}

// Verify checks every link of a chain that goes on after a head and returns where it ends. An entry that was edited,
// removed, added or moved is a *BrokenChainError. That the end was cut off shows only in the head returned: VerifyTo
// compares it.
func Verify(after Head, chain iter.Seq2[Link, error]) (Head, error) {
	return verify(after, chain, func(Head) {})
}

// verify calls passed for every link that is as it was.
func verify(after Head, chain iter.Seq2[Link, error], passed func(Head)) (Head, error) {
	at := after
	for link, err := range chain {
		if err != nil {
			return at, err
		}
		next, detail := at.follow(link)
		if detail != "" {
			return at, &BrokenChainError{at, detail}
		}
		at = next
		passed(at)
	}
	return at, nil
}

func (h Head) follow(l Link) (next Head, detail string) {
	if l.Previous != h.Hash {
		return h, fmt.Sprintf("the next link follows %s, not %s", l.Previous, h.Hash)
	}
	if l.hash() != l.Hash {
		return h, fmt.Sprintf("the hash of the next entry is %s, not %s", l.hash(), l.Hash)
	}
	e, err := l.Read()
	if err != nil {
		return h, err.Error()
	}
	if e.Revision != h.Revision+1 {
		return h, fmt.Sprintf("the next entry is of revision %d", e.Revision)
	}
	return Head{e.Revision, l.Hash}, ""
}

// VerifyTo is Verify for a chain that must go as far as a head that was kept, and may go on.
func VerifyTo(after, kept Head, chain iter.Seq2[Link, error]) (Head, error) {
	found := after == kept
	end, err := verify(after, chain, func(at Head) { found = found || at == kept })
	if err != nil || found {
		return end, err
	}
	detail := fmt.Sprintf("revision %d with hash %s, which was kept, is not in it", kept.Revision, kept.Hash)
	if end == after {
		detail = "the log has no entries; " + detail
	}
	return end, &BrokenChainError{end, detail}
}

// WriteLog writes a chain as JSON lines, one link each, and returns where it ends. It checks what it writes as Verify
// does.
func WriteLog(w io.Writer, after Head, chain iter.Seq2[Link, error]) (Head, error) {
	out := bufio.NewWriter(w)
	end, err := Verify(after, func(yield func(Link, error) bool) {
		for link, err := range chain {
			if err == nil {
				err = writeLine(out, link)
			}
			if !yield(link, err) {
				return
			}
		}
	})
	return end, errors.Join(err, out.Flush())
}

func writeLine(w *bufio.Writer, link Link) error {
	line, err := json.Marshal(link)
	if err != nil {
		return err
	}
	w.Write(line)
	return w.WriteByte('\n')
}

// mostLine bounds a line of a log, so that a broken one does not fill the memory.
const mostLine = 64 << 20

// ReadLog reads what WriteLog wrote, from where r stands: a file that was just written stands at its end. It ends with an
// error at a line that is no link; whether the links are as they were is Verify's to say.
func ReadLog(r io.Reader) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, mostLine)
		for n := 1; lines.Scan(); n++ {
			link, err := readLine(lines.Bytes())
			if err != nil {
				yield(Link{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(link, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Link{}, err)
		}
	}
}

func readLine(line []byte) (Link, error) {
	var link Link
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&link); err != nil {
		return Link{}, err
	}
	again, err := json.Marshal(link)
	if err != nil {
		return Link{}, err
	}
	if !bytes.Equal(again, line) {
		return Link{}, errors.New("this is not how a link is written")
	}
	return link, nil
}

// Entries reads the entries of a chain.
func Entries(chain iter.Seq2[Link, error]) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) {
		for link, err := range chain {
			var e rolecall.Entry
			if err == nil {
				e, err = link.Read()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
