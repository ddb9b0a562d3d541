package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rolecall-go/rolecall"
)

// A dialect writes SQL for one kind of database and one set of names.
type dialect struct {
	kind   Dialect
	names  *strings.Replacer
	schema string
	prefix string
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// longestTenant is the size of the column in MariaDB, which indexes no more.
const longestTenant = 1024

// What PostgreSQL notifies.
const (
	longestChannel = 63
	longestPayload = 7999
)

// words is what databases spell differently.
var words = map[Dialect][]string{
	SQLite:     standard,
	PostgreSQL: standard,
	MariaDB: {
		"{before}", "`before`", "{key}", "`key`",
		"{unlessTenant}", "ON DUPLICATE KEY UPDATE tenant = tenant",
		"{orReplaceBody}", "ON DUPLICATE KEY UPDATE body = VALUES(body)",
	},
}

var standard = []string{
	"{before}", "before", "{key}", "key",
	"{unlessTenant}", "ON CONFLICT (tenant) DO NOTHING",
	"{orReplaceBody}", "ON CONFLICT (policy, hash) DO UPDATE SET body = excluded.body",
}

func newDialect(kind Dialect, o Options) (dialect, error) {
	var problems []error
	if kind != SQLite && kind != PostgreSQL && kind != MariaDB {
		problems = append(problems, fmt.Errorf("dialect %q is not one of %q, %q, %q", kind, SQLite, PostgreSQL, MariaDB))
	}
	if !plainName.MatchString(o.Prefix) {
		problems = append(problems, fmt.Errorf("prefix %q is not up to 40 lower-case letters, digits and _", o.Prefix))
	}
	if o.Schema != "" && !plainName.MatchString(o.Schema) {
		problems = append(problems, fmt.Errorf("schema %q is not up to 40 lower-case letters, digits and _", o.Schema))
	}
	if kind == SQLite && o.Schema != "" {
		problems = append(problems, errors.New("a schema is for PostgreSQL and MariaDB only"))
	}
	if kind != PostgreSQL && o.Channel != "" {
		problems = append(problems, errors.New("a channel is for PostgreSQL only"))
	}
	if len(o.Channel) > longestChannel || strings.Contains(o.Channel, "\x00") || !utf8.ValidString(o.Channel) {
		problems = append(problems, fmt.Errorf("channel %q is not up to %d bytes of UTF-8 without NUL", o.Channel, longestChannel))
	}
	if o.Channel != "" && len(o.Tenant) > longestPayload {
		problems = append(problems, fmt.Errorf("tenant %.40q… has %d bytes, want at most %d with a channel", o.Tenant, len(o.Tenant), longestPayload))
	}
	if o.Poll < 0 {
		problems = append(problems, fmt.Errorf("poll %v is negative", o.Poll))
	}
	if strings.Contains(o.Tenant, "\x00") {
		problems = append(problems, fmt.Errorf("tenant %q contains NUL", o.Tenant))
	}
	if kind == MariaDB && len(o.Tenant) > longestTenant {
		problems = append(problems, fmt.Errorf("tenant %.40q… has %d bytes, want at most %d", o.Tenant, len(o.Tenant), longestTenant))
	}
	schema := ""
	if o.Schema != "" {
		schema = o.Schema + "."
	}
	var pairs []string
	for _, table := range []string{"policy", "statement", "entry", "delta"} {
		pairs = append(pairs, "{"+table+"}", schema+o.Prefix+table)
	}
	pairs = append(pairs, "{schema}", schema, "{prefix}", o.Prefix)
	pairs = append(pairs, words[kind]...)
	return dialect{kind, strings.NewReplacer(pairs...), schema, o.Prefix}, errors.Join(problems...)
}

// sql puts in the names, and the numbers of arguments where the database wants them.
func (d dialect) sql(text string) string {
	text = d.names.Replace(text)
	if d.kind != PostgreSQL {
		return text
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

// writing is how a transaction that commits is begun: each statement sees what others have committed, so that a change
// waits for the one before it and is then judged on what that left.
func (d dialect) writing() *sql.TxOptions {
	if d.kind == SQLite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// reading is how a transaction that sees one moment is begun.
func (d dialect) reading() *sql.TxOptions {
	if d.kind == SQLite {
		return &sql.TxOptions{ReadOnly: true}
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// overtaken says that the database refused because another transaction came first, so that this one has done nothing.
func (d dialect) overtaken(err error) bool {
	if d.kind == MariaDB {
		n := number(err)
		return n == 1213 || n == 1020 // deadlock, record has changed
	}
	var state interface{ SQLState() string } // of both usual drivers of PostgreSQL
	if errors.As(err, &state) {
		return state.SQLState() == "40001" || state.SQLState() == "40P01" // serialization failure, deadlock
	}
	var code interface{ Code() int } // of modernc.org/sqlite
	return errors.As(err, &code) && code.Code() == busySnapshot
}

// The errors of SQLite that another transaction is to blame for.
const (
	busy         = 5
	busySnapshot = busy | 2<<8
)

// busy says that SQLite refused because another transaction is writing: waiting for it in one that has read may never end.
func (d dialect) busy(err error) bool {
	var code interface{ Code() int }
	return d.kind == SQLite && errors.As(err, &code) && code.Code()&0xff == busy
}

// mayOnlyRead says that the database refused because it is not to be written to, at all or by this user.
func (d dialect) mayOnlyRead(err error) bool {
	var state interface{ SQLState() string }
	switch d.kind {
	case MariaDB: // no such command for this user, --read-only, a read-only transaction
		return slices.Contains([]uint64{1142, 1143, 1290, 1792}, number(err))
	case PostgreSQL: // a read-only transaction, as all are of a standby; insufficient privilege
		return errors.As(err, &state) && (state.SQLState() == "25006" || state.SQLState() == "42501")
	default: // in the words of SQLite itself, whatever the driver
		return err != nil && strings.Contains(err.Error(), "attempt to write a readonly database")
	}
}

// number returns the number of an error of go-sql-driver/mysql, which has it in a field and offers no method.
func number(err error) uint64 {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() != reflect.Struct {
			continue
		}
		if f, ok := v.Type().FieldByName("Number"); ok && len(f.Index) == 1 && v.Field(f.Index[0]).CanUint() {
			return v.Field(f.Index[0]).Uint()
		}
	}
	return 0
}

func (d dialect) conflict(err error) error {
	if d.overtaken(err) {
		return fmt.Errorf("%w: %w", rolecall.ErrConflict, err)
	}
	return err
}
