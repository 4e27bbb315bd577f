//! A relying party: the smallest whole application that lets people sign in with Gatelodge.
//!
//! ```sh
//! gatelodge client add demo --redirect http://127.0.0.1/callback
//! cargo run --manifest-path tests/examples/relying_party/Cargo.toml -- CLIENT_ID CLIENT_SECRET
//! ```
//!
//! It knows nothing of Gatelodge: `openidconnect` would do the same with any OpenID Provider. The
//! lines that `client add` prints may stand in the environment instead of the arguments:
//! `OIDC_ISSUER`, `OIDC_CLIENT_ID`, `OIDC_CLIENT_SECRET`, `OIDC_REDIRECT_URI` and `OIDC_SCOPE`.

use std::env;
use std::error::Error;

use openidconnect::core::{CoreClient, CoreProviderMetadata, CoreResponseType, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    RedirectUrl, Scope, TokenResponse as _,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use url::Url;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut setting = |name: &str| arguments.next().or_else(|| env::var(name).ok());
    let id = setting("OIDC_CLIENT_ID").ok_or("usage: relying_party CLIENT_ID [CLIENT_SECRET]")?;
    let secret = setting("OIDC_CLIENT_SECRET");
    let issuer = env::var("OIDC_ISSUER").unwrap_or_else(|_| "http://localhost:7455".to_owned());
    let redirect = env::var("OIDC_REDIRECT_URI").unwrap_or_default();
    let scope = env::var("OIDC_SCOPE").unwrap_or_else(|_| "openid profile email".to_owned());

    // The browser comes back to this program. For a loopback address the port is free to choose
    // (RFC 8252 §7.3), so a redirect URI that names none gets whichever the system has to give.
    let redirect = if redirect.is_empty() { "http://127.0.0.1/callback" } else { &redirect };
    let mut redirect = Url::parse(redirect)?;
    let host = redirect.host_str().ok_or("the redirect URI names no host")?.to_owned();
    let listener = TcpListener::bind((host, redirect.port().unwrap_or(0))).await?;
    let _ = redirect.set_port(Some(listener.local_addr()?.port()));

    // Everything else about the server is in its metadata, and its keys are where that says.
    // A client that followed redirects here could be led to other servers.
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let http = |request: HttpRequest| send(client.clone(), request);
    let metadata = CoreProviderMetadata::discover_async(IssuerUrl::new(issuer)?, &http).await?;
    let provider = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(id),
        secret.map(ClientSecret::new),
    )
    .set_redirect_uri(RedirectUrl::from_url(redirect));

    // Three values tie the response to this request: `state` to this browser, `nonce` to the ID
    // token, and PKCE to the code, which only we can redeem since only we know the verifier.
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let (url, state, nonce) = provider
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(scope.split(' ').map(|token| Scope::new(token.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    println!("open {url}");

    let redirect = callback(&listener).await?;
    let parameter = |name: &str| {
        redirect.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    if parameter("state").as_ref() != Some(state.secret()) {
        return Err("this response belongs to another request: its state is not ours".into());
    }
    if let Some(error) = parameter("error") {
        return Err(format!("nobody signed in: {error}").into());
    }
    let code = AuthorizationCode::new(parameter("code").ok_or("the response has no code")?);

    let tokens = provider.exchange_code(code)?.set_pkce_verifier(verifier).request_async(&http);
    let tokens = tokens.await?;

    // The ID token says who signed in. `claims` checks signature, issuer, audience, expiry and
    // nonce; at_hash then ties the access token to it.
    let id_token = tokens.id_token().ok_or("no ID token: was openid among the scopes?")?;
    let check = provider.id_token_verifier();
    let claims = id_token.claims(&check, &nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let (alg, key) = (id_token.signing_alg()?, id_token.signing_key(&check)?);
        let actual = AccessTokenHash::from_token(tokens.access_token(), alg, key)?;
        if actual != *expected {
            return Err("the access token is not the one that the ID token was made with".into());
        }
    }
    println!("id_token {}", serde_json::to_string_pretty(claims)?);

    // The access token opens the userinfo endpoint, whose response has to be about the same person.
    let subject = Some(claims.subject().clone());
    let userinfo = provider.user_info(tokens.access_token().clone(), subject)?;
    let userinfo: CoreUserInfoClaims = userinfo.request_async(&http).await?;
    println!("userinfo {}", serde_json::to_string_pretty(&userinfo)?);

    // Access tokens live for minutes; a refresh token gets the next one. Each is spent by its use:
    // the response brings its successor.
    if let Some(refresh) = tokens.refresh_token() {
        let renewed = provider.exchange_refresh_token(refresh)?.request_async(&http).await?;
        let rotated = renewed.refresh_token().is_some_and(|next| next.secret() != refresh.secret());
        println!("refreshed {}", serde_json::json!({ "rotated": rotated }));
    }
    Ok(())
}

/// How `openidconnect` reaches the server.
async fn send(client: reqwest::Client, request: HttpRequest) -> reqwest::Result<HttpResponse> {
    let received = client.execute(request.try_into()?).await?;
    let (status, headers) = (received.status(), received.headers().clone());
    let mut response = HttpResponse::new(received.bytes().await?.to_vec());
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

/// Waits for the browser to come back, and tells it that it may go.
async fn callback(listener: &TcpListener) -> Result<Url, Box<dyn Error>> {
    loop {
        let (stream, _) = listener.accept().await?;
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
        // "GET /callback?code=… HTTP/1.1"; browsers ask for /favicon.ico too.
        let target = head.split(' ').nth(1).unwrap_or_default();
        let redirect = Url::parse("http://localhost")?.join(target)?;
        let asked = redirect.query().is_some();
        let said = if asked { "You are back. This page can be closed." } else { "" };
        let status = if asked { "200 OK" } else { "404 Not Found" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close");
        let whole = format!("{head}\r\nContent-Length: {}\r\n\r\n{said}", said.len());
        stream.write_all(whole.as_bytes()).await?;
        stream.shutdown().await?;
        if asked {
            return Ok(redirect);
        }
    }
}
