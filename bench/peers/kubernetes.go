package peers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// cluster is what the authorizer reads: cluster roles, and their bindings by namespace. A cluster has informers there.
type cluster struct {
	roles  map[string]*rbacv1.ClusterRole
	local  map[string][]*rbacv1.RoleBinding
	global []*rbacv1.ClusterRoleBinding
}

var errNoRole = errors.New("no such role")

func (c *cluster) GetRole(context.Context, string, string) (*rbacv1.Role, error) {
	return nil, errNoRole
}

func (c *cluster) GetClusterRole(_ context.Context, name string) (*rbacv1.ClusterRole, error) {
	if r := c.roles[name]; r != nil {
		return r, nil
	}
	return nil, errNoRole
}

func (c *cluster) ListRoleBindings(_ context.Context, namespace string) ([]*rbacv1.RoleBinding, error) {
	return c.local[namespace], nil
}

func (c *cluster) ListClusterRoleBindings(context.Context) ([]*rbacv1.ClusterRoleBinding, error) {
	return c.global, nil
}

// Kubernetes is the RBAC authorizer of its API server. A role is a cluster role, with a rule a kind: the kind is the
// resource, actions are the verbs. A scope is a namespace, with a binding a role; what is granted on the whole instance is
// bound in the cluster. The caller's groups come with the request, as they do there. It is asked once for each scope on
// the path that has bindings.
func Kubernetes(st *Studio, limit *Limit) (Peer, error) {
	c := &cluster{roles: map[string]*rbacv1.ClusterRole{}, local: map[string][]*rbacv1.RoleBinding{}}
	for role, list := range st.Permissions {
		c.roles[role] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: role}, Rules: rulesOf(list)}
	}
	done := 0
	for at, holders := range st.Grants {
		byRole := map[string][]rbacv1.Subject{}
		for h, roles := range holders {
			for _, role := range roles {
				byRole[role] = append(byRole[role], subjectOf(h))
			}
		}
		for _, role := range slices.Sorted(maps.Keys(byRole)) {
			ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
			if at == "/" {
				c.global = append(c.global, &rbacv1.ClusterRoleBinding{RoleRef: ref, Subjects: byRole[role]})
				continue
			}
			c.local[at] = append(c.local[at], &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: at}, RoleRef: ref, Subjects: byRole[role]})
		}
		if done++; done%10_000 == 0 {
			if err := limit.Reached(done, len(st.Grants)); err != nil {
				return Peer{}, err
			}
		}
	}
	a := rbac.New(c, c, c, c)
	ctx := context.Background()
	return Peer{Check: func(q *Asked) bool {
		for i := range q.kubernetes {
			r := &q.kubernetes[i]
			if i > 0 && c.local[r.Namespace] == nil {
				continue
			}
			if decision, _, err := a.Authorize(ctx, r); decision == authorizer.DecisionAllow && err == nil {
				return true
			}
		}
		return false
	}}, nil
}

func rulesOf(permissions []string) []rbacv1.PolicyRule {
	verbs := map[string][]string{}
	for _, p := range permissions {
		kind, action := kindAndAction(p)
		verbs[kind] = append(verbs[kind], action)
	}
	var rules []rbacv1.PolicyRule
	for _, kind := range slices.Sorted(maps.Keys(verbs)) {
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{kind}, Verbs: verbs[kind]})
	}
	return rules
}

func subjectOf(holder string) rbacv1.Subject {
	s := rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: holder}
	if strings.HasPrefix(holder, "user:") {
		s.Kind = rbacv1.UserKind
	}
	return s
}

func (a *Asked) prepareKubernetes(st *Studio) {
	who := &user.DefaultInfo{Name: a.Who, Groups: st.Holders[a.Who][1:]}
	kind, action := kindAndAction(a.May)
	for _, at := range a.Path {
		r := authorizer.AttributesRecord{User: who, Verb: action, Resource: kind, Namespace: at, ResourceRequest: true}
		if at == "/" {
			r.Namespace = ""
		}
		a.kubernetes = append(a.kubernetes, r)
	}
}
