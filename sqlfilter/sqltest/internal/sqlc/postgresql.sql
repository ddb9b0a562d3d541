-- name: ListVersions :many
SELECT v.id, v.project_id, v.number
FROM version v
WHERE v.number >= @first AND 1 = 0 /* visible */
ORDER BY v.number DESC
LIMIT @most;

-- name: ListVersionsOf :many
SELECT v.id, v.project_id, v.number
FROM version v
WHERE v.project_id = ANY(@projects::text[])
ORDER BY v.number;
