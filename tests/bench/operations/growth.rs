//! How much of the file a grant takes, and what rotations of refresh tokens leave in it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gatelodge::app::App;
use gatelodge::app::client_authentication::{Attempt, authenticate};
use gatelodge::config::Config;
use gatelodge::flow::client::authentication::AuthenticatedClient;
use gatelodge::flow::token::refresh::{self, Rotated};
use gatelodge::oauth::client::{PresentedCredentials, Proof};
use gatelodge::oauth::params::{Params, form_encode};
use gatelodge::oauth::token::TokenRequest;
use gatelodge::store::Store;
use gatelodge::store::rewrite::compact;
use tokio::runtime::Runtime;

use crate::installed::install;

const GRANTS: u64 = if cfg!(debug_assertions) { 1_000 } else { 50_000 };

/// Prints it.
pub(super) fn tell(runtime: &Runtime) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let length = |path: &Path| fs::metadata(path).unwrap().len();
    let compacted = |name: &str, grants: u64| {
        let path = directory.path().join(name);
        let (app, _, _) = runtime.block_on(installed(&path, grants));
        drop(app);
        compact(&path).unwrap();
        length(&path)
    };
    let [few, many] = [compacted("few", GRANTS), compacted("many", 2 * GRANTS)];
    println!(
        "a grant and its person take {} bytes of the file after a compaction ({GRANTS} and {} grants)",
        (many - few) / GRANTS,
        2 * GRANTS
    );

    let path = directory.path().join("rotated");
    let (app, _, mut tokens) = runtime.block_on(installed(&path, GRANTS));
    let mut lengths = vec![length(&path)];
    for _ in 0..3 {
        tokens = runtime.block_on(rotated(&app, tokens));
        lengths.push(length(&path));
    }
    let grown: Vec<u64> = lengths
        .windows(2)
        .map(|pair| pair.iter().rev().copied().reduce(|a, b| a - b).unwrap() / GRANTS)
        .collect();
    println!(
        "bytes of the file by rotation, when each of {GRANTS} grants is rotated, three times: {grown:?}"
    );
}

async fn installed(path: &Path, grants: u64) -> (Arc<App>, String, Vec<String>) {
    let store = Store::open(path).unwrap();
    install(Config::at("/nowhere"), "https://id.example".parse().unwrap(), store, grants).await
}

/// Uses every refresh token, 64 at a time. Gives the next ones.
async fn rotated(app: &Arc<App>, tokens: Vec<String>) -> Vec<String> {
    let credentials =
        || PresentedCredentials { client_id: "shop".parse().unwrap(), proof: Proof::None };
    let attempt = Attempt {
        credentials: credentials(),
        endpoint: "/oauth/token".to_owned(),
        from: [127, 0, 0, 1].into(),
    };
    let client = authenticate(app, attempt).await.map_err(|rejected| rejected.error).unwrap();
    let parts = tokens.chunks(tokens.len().div_ceil(64)).map(<[String]>::to_vec);
    let rotating: Vec<_> = parts
        .map(|part| {
            let (app, client) = (Arc::clone(app), client.clone());
            tokio::spawn(async move {
                let mut next = Vec::new();
                for token in part {
                    next.push(rotate(&app, client.clone(), &token).await);
                }
                next
            })
        })
        .collect();
    let mut all = Vec::new();
    for part in rotating {
        all.append(&mut part.await.unwrap());
    }
    all
}

async fn rotate(app: &App, client: AuthenticatedClient, token: &str) -> String {
    let form = form_encode([("grant_type", "refresh_token"), ("refresh_token", token)]);
    let request = TokenRequest::parse(&Params::parse(form.as_bytes()).unwrap()).unwrap();
    let TokenRequest::RefreshToken(request) = request else {
        unreachable!("a refresh was asked for")
    };
    let rotated = app.write(move |tx, cx| refresh::rotate(tx, cx, &client, &request)).await;
    let Rotated::Tokens(issued, _) = rotated.unwrap() else {
        unreachable!("the token is the newest")
    };
    issued.refresh_token.unwrap().expose().to_string()
}
