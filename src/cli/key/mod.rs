//! `gatelodge key …`

mod root;

use axum::http::Method;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::admin::key::{KeyView, RotatedView, RotationRequest, RotationView};
use crate::oauth::client::SigningAlg;

use super::admin_client::AdminClient;
use super::confirm::{Confirmation, ask};
use super::output::{Column, Failure, Output, list, tabled, word};

const LIST_HELP: &str = "\
Example:
  gatelodge key list

A key is published, then it signs, then it is retiring: published for as long as what it signed is
valid. A retired one is no longer published and verifies no token; it still recognises the ID token
in a sign-out, until it is removed.

The server rotates its keys by itself (lifetimes.key_rotation). The key that bridges pin is none of
these, and never changes.";

const ROTATE_HELP: &str = "\
Examples:
  gatelodge key rotate
      a new key of each algorithm, published at once; it signs after lifetimes.key_overlap (a day)
  gatelodge key rotate --algorithm ES256
      of that algorithm alone: access tokens are ES256
  gatelodge key rotate --now
      the new keys sign at once. Applications that keep the old set of keys, usually for an hour,
      may refuse new tokens meanwhile
  gatelodge key rotate --now --revoke
      a key has leaked: every earlier key is removed as well, and what it signed is worth nothing
      here at once. Applications that verify by themselves take it until they fetch the keys anew

  gatelodge key rotate --root
      a new root key, which is in the key file and from which every other key is derived. Nobody signs
      in anew: what is used is kept under the new one, and the old one opens what is not used yet
  gatelodge key rotate --root --forget --dry-run
      what was never used since the root key was rotated
  gatelodge key rotate --root --forget
      end that, and forget the old root key: whoever has a copy of it can do nothing with it any more

A key that is published already and waits is taken, except with --revoke. In every case people stay
signed in, and refresh tokens, personal tokens and certificates go on: they bring tokens of the new
keys. After --revoke, programs have to fetch their access tokens anew before they expire, sessions of
nobody are over, and a sign-out that shows an older ID token is asked about.";

const REVOKE_QUESTION: &str =
    "remove the earlier keys, so that no access token is good any longer?";

/// The verbs of `key`.
#[derive(Debug, Subcommand)]
pub(super) enum KeyVerb {
    /// List the keys that sign and verify tokens
    #[command(after_help = LIST_HELP)]
    List,
    /// Replace the keys by new ones, or the root key
    #[command(after_help = ROTATE_HELP)]
    Rotate(Rotate),
}

/// The arguments of `key rotate`.
#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// Only the keys of this algorithm; repeat it for more
    #[arg(long, value_name = "ALG", ignore_case = true, value_parser = algorithms())]
    algorithm: Vec<String>,
    /// Let the new keys sign at once, without the overlap in which applications learn of them
    #[arg(long)]
    now: bool,
    /// Remove the earlier keys, so that nothing they signed counts any longer
    #[arg(long, requires = "now")]
    revoke: bool,
    /// Replace the root key instead, from which every other key is derived
    #[arg(long, conflicts_with_all = ["algorithm", "now", "revoke"])]
    root: bool,
    /// End what was never used since the root key was replaced, and forget the earlier ones
    #[arg(long, requires = "root")]
    forget: bool,
    /// Only say what would end
    #[arg(long, requires = "forget")]
    dry_run: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

fn algorithms() -> PossibleValuesParser {
    SigningAlg::ALL.iter().map(|alg| alg.as_str()).collect::<Vec<_>>().into()
}

/// Runs `gatelodge key …`.
pub(super) async fn run(verb: KeyVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        KeyVerb::List => {
            const COLUMNS: &[Column<KeyView>] = &[
                Column::id("KEY", |view| word(&view.kid)),
                Column::text("ALGORITHM", |view| word(&view.algorithm)),
                Column::text("STATE", |view| word(&view.state)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::time("SIGNS FROM", |view| word(&view.signs_from)),
                Column::time("SIGNS UNTIL", |view| word(&view.signs_until)),
                Column::extra_time("PUBLISHED UNTIL", |view| word(&view.published_until)),
                Column::extra_time("REMOVED", |view| word(&view.removed)),
            ];
            let keys: Vec<KeyView> = admin.list("/api/v1/keys", None).await?;
            Ok(list(keys, COLUMNS, "There is no key yet; the server makes them when it starts."))
        }
        KeyVerb::Rotate(Rotate { root: true, forget: false, .. }) => root::rotate(admin).await,
        KeyVerb::Rotate(Rotate { root: true, dry_run, confirmation, .. }) => {
            root::forget(dry_run, confirmation, admin).await
        }
        KeyVerb::Rotate(rotate) => {
            let algorithms = rotate.algorithm.iter().map(|alg| spelled(alg)).collect();
            let Rotate { now, revoke, confirmation, .. } = rotate;
            if revoke && confirmation.is_asked() {
                ask(REVOKE_QUESTION, admin).await?;
            }
            let request = RotationRequest { algorithms, now, revoke };
            let rotated: RotationView =
                admin.send(Method::POST, "/api/v1/keys/rotate", &request).await?;
            Ok(described(&rotated, &request))
        }
    }
}

/// An algorithm as the API spells it.
fn spelled(alg: &str) -> String {
    let known = SigningAlg::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(alg));
    known.map_or(alg, |known| known.as_str()).to_owned()
}

fn described(view: &RotationView, request: &RotationRequest) -> Output {
    const COLUMNS: &[Column<RotatedView>] = &[
        Column::id("KEY", |view| word(&view.kid)),
        Column::text("ALGORITHM", |view| word(&view.algorithm)),
        Column::time("SIGNS FROM", |view| word(&view.signs_from)),
        Column::text("MADE", |view| if view.made { "now" } else { "before" }.to_owned()),
        Column::text("REVOKED", |view| word(&view.revoked)),
    ];
    let note = if request.revoke {
        "What the earlier keys signed is worth nothing here. Sessions and refresh tokens go on, and \
         bring tokens of the new keys. Applications that keep a copy of the keys may take old tokens \
         and refuse new ones until they fetch the keys anew."
    } else if request.now {
        "The keys sign at once. Applications that keep a copy of the keys may refuse new tokens until \
         they fetch the keys anew. What the earlier keys signed stays valid until it expires."
    } else if view.rotated.iter().all(|rotated| rotated.made) {
        "Until then the earlier keys sign. Sessions and tokens go on."
    } else {
        "A key that was published before waits already, and no other was made in its place."
    };
    tabled(view, COLUMNS, &view.rotated).with_note(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotate(algorithm: &[&str], now: bool, revoke: bool) -> KeyVerb {
        let algorithm = algorithm.iter().map(|alg| (*alg).to_owned()).collect();
        let (root, forget, dry_run) = (false, false, false);
        let confirmation = Confirmation::default();
        KeyVerb::Rotate(Rotate { algorithm, now, revoke, root, forget, dry_run, confirmation })
    }

    #[tokio::test]
    async fn a_rotation_is_described_and_the_list_has_its_key() {
        let mut admin = AdminClient::memory_with_ada().await;

        let announced = run(rotate(&["es256"], false, false), &mut admin).await.unwrap();
        let again = run(rotate(&["ES256"], false, false), &mut admin).await.unwrap();
        let listed = run(KeyVerb::List, &mut admin).await.unwrap();

        let (_, text, json, note) = announced.parts();
        let kid = json["rotated"][0]["kid"].as_str().unwrap();
        assert!(text.lines().nth(1).unwrap().starts_with(kid), "{text}");
        assert!(note.unwrap().starts_with("Until then"), "{note:?}");
        let (_, _, json, note) = again.parts();
        assert_eq!(
            (&json["rotated"][0]["kid"], &json["rotated"][0]["made"]),
            (&kid.into(), &false.into())
        );
        assert!(note.unwrap().contains("waits already"), "{note:?}");
        let (_, text, json, _) = listed.parts();
        let states: Vec<&str> =
            text.lines().skip(1).map(|line| line.split_whitespace().nth(2).unwrap()).collect();
        assert_eq!(states, ["published", "signing", "signing", "signing"], "{text}");
        assert_eq!(json["keys"][0]["kid"], kid);
    }

    #[tokio::test]
    async fn a_revocation_names_the_keys_that_are_gone() {
        let mut admin = AdminClient::memory_with_ada().await;
        let before = run(KeyVerb::List, &mut admin).await.unwrap().parts().2;

        let rotated = run(rotate(&["EdDSA"], true, true), &mut admin).await.unwrap();

        let (_, text, json, note) = rotated.parts();
        let old = before["keys"].as_array().unwrap().iter().find(|key| key["algorithm"] == "EdDSA");
        let old = old.unwrap()["kid"].as_str().unwrap();
        assert_eq!(json["rotated"][0]["revoked"], serde_json::json!([old]));
        assert!(text.trim_end().ends_with(old), "{text}");
        assert!(note.unwrap().contains("worth nothing"), "{note:?}");
    }

    #[tokio::test]
    async fn no_key_is_a_remark() {
        let mut admin = AdminClient::memory().await;

        let none = run(KeyVerb::List, &mut admin).await.unwrap();

        assert!(none.parts().3.unwrap().starts_with("There is no key yet"));
    }
}
