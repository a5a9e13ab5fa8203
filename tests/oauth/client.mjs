// oauth4webapi through discovery, code with PKCE, OpenID Connect, refresh and revocation. Prints the authorization
// address, reads where the browser was sent from its input, prints what it found out as JSON.
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'

const [base, clientId, secret, redirect, scope] = process.argv.slice(2)
const insecure = { [oauth.allowInsecureRequests]: true }
const client = { client_id: clientId }
const proof = secret ? oauth.ClientSecretBasic(secret) : oauth.None()
const issuer = new URL(base)
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
const oauth2 = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }),
)

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const ask = new URL(server.authorization_endpoint)
const parameters = {
  client_id: clientId, redirect_uri: redirect, response_type: 'code', scope, state, nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
}
for (const [name, value] of Object.entries(parameters)) ask.searchParams.set(name, value)
console.log(ask.href)

const lines = createInterface({ input: process.stdin })
const location = (await lines[Symbol.asyncIterator]().next()).value
lines.close()
const answered = oauth.validateAuthResponse(server, client, new URL(location), state)
const exchanged = await oauth.authorizationCodeGrantRequest(server, client, proof, answered, redirect, verifier, insecure)
const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged, { expectedNonce: nonce })
await oauth.validateApplicationLevelSignature(server, exchanged, insecure)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const info = await oauth.processUserInfoResponse(
  server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, insecure),
)
const fresh = await oauth.processRefreshTokenResponse(
  server, client, await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token, insecure),
)
const me = new URL('/api/v1/me/', base)
const call = async () => {
  try {
    return (await oauth.protectedResourceRequest(fresh.access_token, 'GET', me, undefined, undefined, insecure)).status
  } catch (refusal) {
    return refusal.status
  }
}
const before = await call()
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, proof, fresh.refresh_token, insecure),
)
console.log(JSON.stringify({ same: server.issuer === oauth2.issuer, sub: claims.sub, name: info.name, before, after: await call() }))
