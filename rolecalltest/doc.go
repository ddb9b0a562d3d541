// Package rolecalltest is for the tests of programs that use Rolecall: a resolver from a policy in the text form,
// assertions that say why, a matrix against a golden file, scenarios as subtests, and two measures of how much of a
// policy its tests hold down.
//
//	func TestArtistsEditTheirShots(t *testing.T) {
//		p := rolecalltest.Load(t, "testdata/studio.rolecall")
//		rolecalltest.Allow(t, p, ada, TaskUpdate, shot, rolecall.Given{"assigned"})
//		rolecalltest.Deny(t, p, ada, TaskDelete, shot)
//	}
//
//	func TestPolicy(t *testing.T) {
//		rolecalltest.Scenarios(t, "testdata/*.rolecall")
//		suite := rolecalltest.ScenarioSuite(t, "testdata/*.rolecall")
//		suite.RequireCoverage(t)
//		suite.RequireMutationsCaught(t)
//	}
//
// Coverage says which statements no tested answer rests on. Mutation removes or flips one statement at a time and says
// which change no test notices; it is the stronger measure.
//
// # Golden files
//
// Matrix and Routes compare with a file and rewrite it when the test binary has a bool flag named update that is set, or
// the environment variable ROLECALL_UPDATE is 1 or true. The package registers no flag, since yours may have that name
// already. To have go test -update, write in one of your test files:
//
//	var _ = flag.Bool("update", false, "rewrite golden files")
//
// # Not for production
//
// A program that links this package, and was not built by go test, does not start. So an import outside a test file is
// noticed by whoever made it, the first time.
package rolecalltest
