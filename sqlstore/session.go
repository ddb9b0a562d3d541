package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
)

// A Session is a transaction as a Store uses it. *sql.Tx needs none, see Store.In; package pgxtx makes one of pgx.Tx;
// for another driver write one.
type Session interface {
	// Exec runs a statement that answers with no rows.
	Exec(ctx context.Context, query string, args ...any) error
	// Query runs a statement that does. Arguments are int64, string, []byte and sql.NullString.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
}

// Rows are the answer to a query, as *sql.Rows are. Scan is asked for int64, string and []byte,
// where a null is nil; a slice need not stay as it is after the next call.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// A handle is a *sql.DB, a *sql.Conn or a *sql.Tx.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// through makes a session of a handle.
type through struct{ handle handle }

func (t through) Exec(ctx context.Context, query string, args ...any) error {
	_, err := t.handle.ExecContext(ctx, query, args...)
	return err
}

func (t through) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	rows, err := t.handle.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return rawRows{rows}, nil
}

// rawRows hands out bytes as they lie in the buffer of the driver.
type rawRows struct{ *sql.Rows }

func (r rawRows) Scan(dest ...any) error {
	for i, d := range dest {
		if b, ok := d.(*[]byte); ok {
			dest[i] = (*sql.RawBytes)(b)
		}
	}
	return r.Rows.Scan(dest...)
}

// one reads the only row of an answer, sql.ErrNoRows where there is none.
func one(ctx context.Context, s Session, dest []any, query string, args ...any) error {
	rows, err := s.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return cmp.Or(rows.Close(), rows.Err())
}
