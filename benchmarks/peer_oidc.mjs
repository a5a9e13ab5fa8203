// node-oidc-provider as a peer: client_credentials and introspection, everything in its own memory.
// Usage: node peer_oidc.mjs folder-with-node_modules port client-id client-secret
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, port, id, secret] = process.argv.slice(2);
const found = createRequire(`${folder}/`).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found).href);
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
  clients: [client],
  scopes: ['openid', 'read'],
  features: { clientCredentials: on, introspection: on, devInteractions: { enabled: false } },
  ttl: { ClientCredentials: 3600 },
});
provider.listen(Number(port), '127.0.0.1');
