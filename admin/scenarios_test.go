package admin_test

import (
	"testing"

	"github.com/rolecall-go/rolecall/rolecalltest"
)

func TestScenarios(t *testing.T) { rolecalltest.Scenarios(t, "testdata/*.rolecall") }
