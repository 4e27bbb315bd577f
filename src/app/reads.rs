//! How many rows the token endpoint reads.

use std::collections::BTreeMap;

use crate::app::{App, Sources};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::error::Error;
use crate::flow::Context;
use crate::flow::client::authentication::{self, AuthenticatedClient, AuthenticationStep};
use crate::flow::token::code::{self, Redeemed};
use crate::flow::token::issue::Issued;
use crate::flow::token::refresh::{self, Rotated};
use crate::model::person::Role;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType, PresentedCredentials, Proof};
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::issuer::Issuer;
use crate::oauth::params::Params;
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::token::TokenRequest;
use crate::secret::{AuthorizationCode, Entropy};
use crate::store::Tx;
use crate::store::schema::{
    Authentication, Authorization, Client, Code, Grant, Origin, Person, Protected, Session,
};

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// What a transaction has read: rows of clients, sessions, grants and resources, and everything.
fn reads(tx: &Tx<'_>) -> ([usize; 4], usize) {
    let rows =
        [tx.reads::<Client>(), tx.reads::<Session>(), tx.reads::<Grant>(), tx.reads::<Protected>()];
    (rows, tx.all_reads())
}

/// Stores a client, a signed-in person, a resource, and a code for all of them.
fn populate(tx: &mut Tx<'_>, cx: &Context, code: &AuthorizationCode) -> Result<(), Error> {
    let (user, session) = (UserId::from_seed(&cx.seed), SessionId::from_seed(&cx.seed));
    let authentication = Authentication { amr: Vec::new(), at: cx.now };
    let person = Person {
        claims: BTreeMap::new(),
        tokens_valid_after: None,
        created: cx.now,
        disabled: false,
        display_name: "Ada".parse()?,
        email: None,
        groups: Vec::new(),
        roles: vec![Role::USER.parse()?],
        signed_out: None,
        updated: cx.now,
        username: "ada".parse()?,
    };
    tx.put(&user, person)?;
    let row = Session {
        authentication: authentication.clone(),
        created: cx.now,
        device: Default::default(),
        expires: cx.now + cx.rules.config.lifetimes.session_idle,
        holder: cx.rules.pepper.hash_parts("cookie", b""),
        revoked: false,
        seen: cx.now,
        user,
    };
    tx.put(&session, row)?;
    let metadata = ClientMetadata {
        grant_types: Some(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]),
        scope: Some("openid".parse()?),
        token_endpoint_auth_method: Some(AuthMethod::None),
        ..ClientMetadata::default()
    };
    tx.put(&shop()?, Client::new(cx.now, Origin::Operator, metadata))?;
    let resource: Resource = "https://api.example/".parse()?;
    let protected = Protected {
        accepts_bridge: false,
        created: cx.now,
        name: "API".parse()?,
        resource: resource.clone(),
        scope: "openid".parse()?,
        server: None,
        open: true,
        typ: TokenType::default(),
    };
    tx.put(&resource.canonical().to_owned(), protected)?;
    let code_row = Code {
        authorization: Authorization {
            authentication,
            claims: ClaimsRequest::default(),
            client: shop()?,
            given: cx.now,
            resources: vec![resource],
            scope: "openid".parse()?,
            session,
            user,
        },
        code_challenge: None,
        expires: cx.deadline(cx.rules.config.lifetimes.authorization_code),
        nonce: None,
        redirect_uri: None,
        retained_until: cx.now + cx.rules.config.lifetimes.authorization_code,
        spent: None,
    };
    Ok(tx.put(&cx.rules.pepper.hash(code), code_row)?)
}

fn shop() -> Result<ClientId, Error> {
    Ok("shop".parse()?)
}

fn proven(app: &App) -> Result<AuthenticatedClient, Error> {
    let credentials = PresentedCredentials { client_id: shop()?, proof: Proof::None };
    let view = app.read()?;
    match authentication::prove(&view, &app.rules(), NOW, &credentials, "/oauth/token")? {
        AuthenticationStep::Done(client) => Ok(client),
        AuthenticationStep::AssertionCheck(_) | AuthenticationStep::SecretCheck(_) => {
            panic!("a public client proves nothing")
        }
    }
}

/// Performs a token request. Gives the response and what was read for it.
async fn perform(app: &App, form: String) -> Result<(Issued, ([usize; 4], usize)), Error> {
    let client = proven(app)?;
    let request = TokenRequest::parse(&Params::parse(form.as_bytes())?)?;
    app.write(move |tx, cx| {
        let issued = match &request {
            TokenRequest::AuthorizationCode(request) => {
                match code::redeem(tx, cx, &client, request)? {
                    Redeemed::Tokens(issued) => issued,
                    Redeemed::Replayed(_) => panic!("the code was spent"),
                }
            }
            TokenRequest::RefreshToken(request) => {
                match refresh::rotate(tx, cx, &client, request)? {
                    Rotated::Tokens(issued, _) => issued,
                    Rotated::Replayed(_) => panic!("the token was spent"),
                }
            }
            TokenRequest::ClientCredentials(_) | TokenRequest::DeviceCode(_) => {
                panic!("no other request is made here")
            }
        };
        Ok((*issued, reads(tx)))
    })
    .await
}

#[tokio::test]
async fn a_redemption_a_refresh_and_a_replay_read_no_row_again_that_nobody_changed() {
    let entropy = Entropy::seeded(7);
    let code: AuthorizationCode = entropy.seed().token();
    let sources = Sources { clock: Clock::manual(NOW), entropy, ..Sources::default() };
    let app = App::memory(Config::at("/nowhere"), Issuer::localhost(7455), sources).await;
    let app = app.ok().unwrap();
    let form = format!("grant_type=authorization_code&code={}", *code.expose());
    app.write(move |tx, cx| populate(tx, cx, &code)).await.ok().unwrap();

    let (issued, (redemption, _)) = perform(&app, form).await.ok().unwrap();
    let first = refresh_form(&issued);
    let (mut newest, (refresh, all)) = perform(&app, first.clone()).await.ok().unwrap();
    for _ in 0..100 {
        (newest, _) = perform(&app, refresh_form(&newest)).await.ok().unwrap();
    }
    let (replayed, (replay, all_of_replay)) = perform(&app, first).await.ok().unwrap();

    // What was read before, here or for the authentication, is not read again until it changes. A refresh
    // changes its grant, and the store reads it once more to replace what it declared.
    assert_eq!((redemption, refresh, replay), ([0, 1, 1, 1], [0, 0, 2, 0], [0, 0, 1, 0]));
    assert!(all_of_replay <= all, "{all_of_replay} reads, however many rotations lie between");
    assert_eq!(refresh_form(&replayed), refresh_form(&newest));
}

fn refresh_form(issued: &Issued) -> String {
    let token = issued.refresh_token.as_ref().unwrap().expose();
    format!("grant_type=refresh_token&refresh_token={}", *token)
}
