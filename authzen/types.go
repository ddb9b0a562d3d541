package authzen

// An Entity is a subject or a resource.
type Entity struct {
	Type       string         `json:"type"`
	ID         string         `json:"id,omitempty"` // empty for what a search looks for
	Properties map[string]any `json:"properties,omitempty"`
}

// An Action is what a subject wants to do.
type Action struct {
	Name       string         `json:"name"`
	Properties map[string]any `json:"properties,omitempty"`
}

// An Evaluation asks whether Subject may do Action with Resource.
type Evaluation struct {
	Subject  Entity         `json:"subject,omitzero"`
	Action   Action         `json:"action,omitzero"`
	Resource Entity         `json:"resource,omitzero"`
	Context  map[string]any `json:"context,omitempty"`
}

// A Decision is the answer to an evaluation.
type Decision struct {
	Decision bool           `json:"decision"`
	Context  map[string]any `json:"context,omitempty"`
}

// A Semantic says how far a batch is evaluated.
type Semantic string

// The semantics. The empty Semantic is ExecuteAll.
const (
	ExecuteAll          Semantic = "execute_all"
	DenyOnFirstDeny     Semantic = "deny_on_first_deny"     // stops after the first denial, like &&
	PermitOnFirstPermit Semantic = "permit_on_first_permit" // stops after the first permit, like ||
)

// A Page says which part of a search's results is meant.
type Page struct {
	Token string `json:"token,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

// NextPage tells how to go on after a page of results. An empty NextToken says that there are no more.
type NextPage struct {
	NextToken string `json:"next_token"`
	Count     int    `json:"count"`
}

// Metadata describes a policy decision point.
type Metadata struct {
	PolicyDecisionPoint string   `json:"policy_decision_point"`
	Evaluation          string   `json:"access_evaluation_endpoint"`
	Evaluations         string   `json:"access_evaluations_endpoint,omitempty"`
	SearchSubject       string   `json:"search_subject_endpoint,omitempty"`
	SearchResource      string   `json:"search_resource_endpoint,omitempty"`
	SearchAction        string   `json:"search_action_endpoint,omitempty"`
	Capabilities        []string `json:"capabilities,omitempty"`
}

// The paths of the endpoints below the base URL.
const (
	pathEvaluation     = "/access/v1/evaluation"
	pathEvaluations    = "/access/v1/evaluations"
	pathSearchSubject  = "/access/v1/search/subject"
	pathSearchResource = "/access/v1/search/resource"
	pathSearchAction   = "/access/v1/search/action"
	pathMetadata       = "/.well-known/authzen-configuration"
)
