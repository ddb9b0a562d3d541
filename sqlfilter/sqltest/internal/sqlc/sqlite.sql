-- name: ListVersions :many
SELECT v.id, v.project_id, v.number
FROM version v
WHERE v.number >= ? AND 1 = 0 /* visible */
ORDER BY v.number DESC
LIMIT ?;

-- name: ListVersionsOf :many
SELECT v.id, v.project_id, v.number
FROM version v
WHERE v.project_id IN (sqlc.slice('projects'))
ORDER BY v.number;
