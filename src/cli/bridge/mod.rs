//! `gatelodge bridge …`

mod certificate;

use clap::Subcommand;

use super::answer::{Answer, Failure};
use super::door::Door;

use certificate::CertificateVerb;

/// What can be done with bridges.
#[derive(Debug, Subcommand)]
pub(super) enum BridgeVerb {
    #[command(flatten)]
    Certificate(CertificateVerb),
}

/// `gatelodge bridge …`
pub(super) async fn run(verb: BridgeVerb, door: &mut Door) -> Result<Answer, Failure> {
    match verb {
        BridgeVerb::Certificate(verb) => certificate::run(verb, door).await,
    }
}
