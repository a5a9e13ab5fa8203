// node-oidc-provider as a peer: client_credentials and introspection. Without a file everything is in its own memory;
// with one, everything is in that SQLite file (WAL, one row for each token), as our own server keeps it.
// Usage: node peer_oidc.mjs folder-with-node_modules port client-id client-secret [file]
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, port, id, secret, file] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

/** The Adapter that node-oidc-provider documents (its example/my_adapter.js), on one table. */
function sqliteAdapter(path) {
  const db = new (require('better-sqlite3'))(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.exec(`CREATE TABLE models (
    name TEXT, id TEXT, payload TEXT, grant_id TEXT, uid TEXT, user_code TEXT, expires_at INTEGER, consumed_at INTEGER,
    PRIMARY KEY (name, id)) WITHOUT ROWID;
    CREATE INDEX models_grant ON models (grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX models_uid ON models (uid) WHERE uid IS NOT NULL;
    CREATE INDEX models_user_code ON models (user_code) WHERE user_code IS NOT NULL;`);
  const upsert = db.prepare('INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?, ?, ?, NULL)');
  const by = Object.fromEntries(['id', 'uid', 'user_code'].map((column) => [
    column, db.prepare(`SELECT payload, expires_at, consumed_at FROM models WHERE name = ? AND ${column} = ?`),
  ]));
  const consume = db.prepare('UPDATE models SET consumed_at = ? WHERE name = ? AND id = ?');
  const destroy = db.prepare('DELETE FROM models WHERE name = ? AND id = ?');
  const revoke = db.prepare('DELETE FROM models WHERE grant_id = ?');
  const now = () => Math.floor(Date.now() / 1000);
  const payloadOf = (row) => {
    if (!row || (row.expires_at !== null && row.expires_at < now())) return undefined;
    const payload = JSON.parse(row.payload);
    return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at };
  };
  return class {
    constructor(name) { this.name = name; }

    async upsert(key, payload, expiresIn) {
      const { grantId = null, uid = null, userCode = null } = payload;
      const ends = expiresIn ? now() + expiresIn : null;
      upsert.run(this.name, key, JSON.stringify(payload), grantId, uid, userCode, ends);
    }

    async find(key) { return payloadOf(by.id.get(this.name, key)); }

    async findByUid(uid) { return payloadOf(by.uid.get(this.name, uid)); }

    async findByUserCode(code) { return payloadOf(by.user_code.get(this.name, code)); }

    async consume(key) { consume.run(now(), this.name, key); }

    async destroy(key) { destroy.run(this.name, key); }

    async revokeByGrantId(grantId) { revoke.run(grantId); }
  };
}

const client = {
  client_id: id,
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  scope: 'read',
};
const on = { enabled: true };
const provider = new Provider(`http://127.0.0.1:${port}`, {
  ...(file ? { adapter: sqliteAdapter(file) } : {}),
  clients: [client],
  scopes: ['openid', 'read'],
  features: { clientCredentials: on, introspection: on, devInteractions: { enabled: false } },
  ttl: { ClientCredentials: 3600 },
});
provider.listen(Number(port), '127.0.0.1');
