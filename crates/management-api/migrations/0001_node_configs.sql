-- Written once for SQLite and PostgreSQL: BIGINT and TEXT only. Times are microseconds since 1970 in UTC, digests are
-- SHA-256 in lower-case hex. docs/erd.md says what each column and index is for.

CREATE TABLE providers (
    id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    delivery TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    pruned_through BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE changes (
    provider_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    node_name TEXT NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (provider_id, sequence),
    UNIQUE (provider_id, node_name, revision),
    FOREIGN KEY (provider_id) REFERENCES providers (id) ON DELETE CASCADE
);
CREATE INDEX changes_by_age ON changes (changed_at);

CREATE TABLE nodes (
    provider_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    revision BIGINT NOT NULL,
    instance_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (provider_id, node_name),
    FOREIGN KEY (provider_id) REFERENCES providers (id) ON DELETE CASCADE,
    FOREIGN KEY (provider_id, node_name, revision) REFERENCES changes (provider_id, node_name, revision)
);
CREATE INDEX nodes_by_instance ON nodes (provider_id, instance_id);
CREATE INDEX nodes_by_update ON nodes (provider_id, updated_at);

CREATE TABLE interfaces (
    provider_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    id BIGINT NOT NULL,
    mac_address TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (provider_id, node_name, id),
    UNIQUE (provider_id, mac_address),
    UNIQUE (provider_id, address),
    FOREIGN KEY (provider_id, node_name) REFERENCES nodes (provider_id, node_name) ON DELETE CASCADE
);

CREATE TABLE reports (
    provider_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('Pending', 'InProgress', 'Configured', 'Failed')),
    observed_revision BIGINT,
    content TEXT NOT NULL,
    reported_at BIGINT NOT NULL,
    reported_by TEXT NOT NULL,
    PRIMARY KEY (provider_id, node_name),
    FOREIGN KEY (provider_id, node_name) REFERENCES nodes (provider_id, node_name) ON DELETE CASCADE
);
CREATE INDEX reports_by_state ON reports (provider_id, state);

CREATE TABLE deliveries (
    provider_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('apply', 'retire', 'remove')),
    wanted_revision BIGINT NOT NULL,
    sent_at BIGINT,
    delivered_revision BIGINT,
    delivered_at BIGINT,
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    last_error TEXT,
    PRIMARY KEY (provider_id, node_name),
    FOREIGN KEY (provider_id) REFERENCES providers (id) ON DELETE CASCADE
);
CREATE INDEX deliveries_due ON deliveries (provider_id, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE targets (
    provider_id TEXT NOT NULL,
    held_by TEXT,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    last_error TEXT,
    PRIMARY KEY (provider_id),
    FOREIGN KEY (provider_id) REFERENCES providers (id) ON DELETE CASCADE
);
CREATE INDEX targets_by_holder ON targets (held_by);

CREATE TABLE replicas (
    id TEXT NOT NULL,
    alive_until BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE idempotency_keys (
    provider_id TEXT NOT NULL,
    caller TEXT NOT NULL,
    key_digest TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    status BIGINT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider_id, caller, key_digest)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
