// Package authzen answers other languages: the OpenID Authorization API 1.0 (AuthZEN) over a Rolecall policy, as an
// http.Handler, and a client of it.
//
//	h, err := authzen.NewHandler(resolver, &authzen.Options{BaseURL: "https://pdp.example.com"})
//
//	POST /access/v1/evaluation          may this subject do this?
//	POST /access/v1/evaluations         many at once, of one policy
//	POST /access/v1/search/subject      who may?
//	POST /access/v1/search/resource     what may it be done with?
//	POST /access/v1/search/action       what may be done?
//	GET  /.well-known/authzen-configuration
//
// # Names
//
// A Mapping turns the entities of a request into a subject, a permission and a scope. Without one, a subject's type is
// its kind; a resource is the scope type:id at the top of the instance, or the scope that its id spells as a path whose
// last step is of that type (/project:alpha/shot:010); and an action is the permission of that name, otherwise the
// permission type.name, so that read on a record is record.read. Upper case in an action counts as lower case, since
// permissions have none. A path of one step (/shot:010) is another spelling of the plain id: the Directory and the tests
// of conditions see the plain one.
//
// # Properties
//
// What a caller sends beyond names is a claim. It counts only where Options.Properties says so. A Directory knows the
// properties of the host's own entities, and Options.Conditions say what a condition of the policy makes of them. What
// cannot be found out never opens a door.
//
// # Answers
//
// A denial is 200 and decision false. A request that cannot be read is 400, one that is too large 413, another path or
// method 404 or 405; they say what is wrong with its form and nothing of the policy. A name that the policy does not know
// is a denial whose context says so; which one it was is told to Options.Log. 503 says that the policy cannot be asked.
// Who may call is for the host to decide: put its authentication around the handler.
package authzen
