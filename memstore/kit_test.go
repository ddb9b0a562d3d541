package memstore_test

import (
	"context"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Stores{
		New: func(context.Context) (rolecall.Store, error) { return memstore.New(), nil },
		Compacting: func(_ context.Context, n int) (rolecall.Store, error) {
			return memstore.NewWithOptions(nil, &memstore.Options{History: n}), nil
		},
		Again: func(_ context.Context, s rolecall.Store) (rolecall.Store, error) { return s, nil },
	})
}
