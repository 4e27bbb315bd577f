//! Gatelodge: an authorization server in one binary and one file.
//!
//! It serves OAuth 2.1 and OpenID Connect to applications, and passkeys to people. This page is
//! the map; the README tells how to run it.
//!
//! # The house
//!
//! Four rooms in a line, and imports point one way (`tests/rooms.rs` fails on any other):
//!
//! | room | holds | may not |
//! |---|---|---|
//! | [`http`] | the door: endpoints, cookies, pages | decide what a transition could decide |
//! | [`flow`] | transitions: what happens, one transaction each | wait, tell the time, speak HTTP |
//! | [`store`] | memory: typed tables in one redb file | know what a flow is |
//! | [`oauth`] | vocabulary: parsers, pure and total | touch anything |
//!
//! Beside [`http`] stand two more doors: [`admin`], the administration API on the Unix socket, and
//! [`cli`], which speaks to it, and whose `login` is a client like any other. [`app`] is the one
//! shared struct, [`serve`] the listeners and the background tasks. Under everything lie [`error`],
//! [`secret`], [`time`], [`event`] and [`config`]; [`keys`], [`passkey`] and [`password`] each wrap
//! one foreign crate, [`tls`] is who this server is on the wire, and [`fetch`] is the server's only
//! way out to the network.
//!
//! Looking for something? Refresh rotation is [`flow::refresh`]; code redemption [`flow::code`];
//! the order of the pages [`flow::step`]; what a token may be for [`flow::resource`]; every route
//! [`http::router`]; every refusal, with what the wire says of it, [`error`].
//!
//! # What holds
//!
//! 1. What was answered is durable: a commit is synced, in two phases, before anyone hears of it.
//! 2. A code, a refresh token, a setup link, a ceremony and an interaction bring about one thing
//!    each, whatever the concurrency: they are read and spent in one transaction.
//! 3. No secret is stored or logged in the clear: the store knows keyed hashes, secret types
//!    cannot be printed, signing keys are encrypted under the root secret.
//! 4. A `Location` to a client is made from a [`Callback`](oauth::authorize::Callback), and a
//!    `Callback` only from a registered redirect URI.
//! 5. A refusal tells the wire its RFC's code and the log its own reason, under an event id.
//!
//! # What an attacker would try
//!
//! - *Send it twice.* A code that returns ends the grant it made. A refresh token that returns
//!   after its grace ends its family.
//! - *Send it at once.* One writer thread runs transitions one after the other; each sees all
//!   before it.
//! - *Swap the client.* The client is proven before a code is looked at, and a code of another
//!   client is refused unspent.
//! - *Swap the browser.* An interaction needs its cookie, a ceremony its browser, a form the
//!   anti-forgery token of its session.
//! - *Change the request on the way.* The validated request is stored; no page carries an OAuth
//!   parameter. What was shown at consent is compared with what would be granted.
//! - *Catch the cookie on another port.* Cookies of a loopback issuer are confined to `/gate/`,
//!   and no client may have a redirect URI there.
//! - *Point a proxy elsewhere.* A host that the headers of a proxy tell in two ways is refused, and
//!   an application shares no host name with the issuer, whose cookies would reach its port. A code
//!   that goes to an application comes back from the browser that began, or not at all.
//! - *Come from somewhere else.* `X-Forwarded-For` is read from the right, for as long as each hop is
//!   a proxy that the configuration names.
//! - *Pretend to be the client.* A public client on loopback or on a private-use scheme is
//!   confirmed by the person each time.
//! - *Be nobody, and become somebody.* An anonymous session begins anew whatever is sent, its cookie is
//!   read at an enrolment alone, and then everything under it is over ([`flow::session::anonymous`]).
//! - *Rebind the name.* A `Host` that is none of ours is answered with 421.
//! - *Have the server fetch it.* A URL that a client names leads only to public addresses, and the
//!   connection goes to the very address that was judged ([`fetch`]).
//! - *Name oneself to an application.* An answer to a proxy brings every identity header, for the
//!   proxy to put in place of what came from outside ([`flow::forward`]).
//! - *Guess.* What a person can type is counted by network and by account, in rows, so that a
//!   restart gives nobody new attempts. What has 256 bits is not counted: nobody guesses it.
//! - *Take a token elsewhere.* A token names its resource; every endpoint of ours wants to be named.
//! - *Show somebody's certificate.* A fingerprint is a public value. What counts is a
//!   [`ProvenCertificate`](tls::ProvenCertificate), which only a handshake gives that its key signed.
//! - *Steal the local CA.* Its constraints leave out every name of the public internet but this
//!   server's own.
//! - *Ask who exists.* Sign-in names nobody; an unknown client and a wrong secret look alike.
//!
//! # Decisions
//!
//! **One redb table.** redb sees one ordered map of bytes; the first byte of a key is its table.
//! The engine is then two functions, and another one could be a single relation. Typed tables lie
//! above it, where a bad row is an error and not a panic.
//!
//! **Indices follow from rows.** A row says by which entries it is found and when it expires;
//! writing it replaces the entries of the row before it. No caller can forget one.
//!
//! **Chance is a seed.** A transition draws ids and tokens by name from a seed that is made before
//! it, so that it makes the same things however often it runs.
//!
//! **Refusals are a table.** One line each: name, wire code, reason. The enum, both total
//! functions and the list for the tests come from it.
//!
//! **A dependent grant asks for its session.** A grant without `offline_access` is in force while
//! its session lives; sign-out therefore removes one row, and need not find its grants.
//!
//! **Signing goes around the JWT crate's signer.** It parses a key at each call;
//! ours are parsed once. Verification stays with the crate.
//!
//! **A consent is kept by resource.** What a person allowed a client at one resource says nothing
//! about another, so a step-up can ask for exactly what is new.
//!
//! **Clients of every origin are rows of one table.** Registered by an operator, by themselves, or
//! read from their own document: whoever redeems, refreshes or introspects need not know which.
//!
//! **A proof of a client holds while what it was made by does.** Secrets and signatures are judged
//! before the transition, which refuses a proof whose client has since come anew or been given
//! another secret, method or key. Another name or scope refuses nobody who is on the way. To prove
//! once more instead would spend an assertion twice.
//!
//! **A resource of the person's own machine brings its own scopes.** Nobody registered it, so nobody
//! could register them: what the configuration does not know is granted to it word by word, as the
//! consent page shows it, and means nothing anywhere else.
//!
//! **A proxy on this machine may ask unnamed.** `/auth/verify` answers loopback without configuration:
//! whoever asks has to bring the application's cookie, and learns what it opens anyway. An address
//! that a proxy forwards decides what is counted as a guess, so for that it has to be named.
//!
//! **A bridge's session has an id of its own form.** A bridge may choose it, and an ended one never
//! comes back, so chosen ids are remembered for good. Those that this server draws begin with
//! `gls-`, and are taken from nobody unless they live; they need not be.
//!
//! **A device certificate is trusted by its fingerprint.** The listener for devices takes whatever
//! certificate is well formed and within its time, and a row says whose it is. A chain would have to
//! be revoked by lists that an air-gapped site cannot fetch; a row is revoked at once, and an operator
//! can register what a device has already. Sessions are not resumed there, so that each connection
//! proves its key.
//!
//! **The server's own certificate is never written.** It is issued at each start and before its end,
//! which costs a millisecond, so there is one key less to lie about. The CA's key is a file, since
//! what trusts it outlives every process.
//!
//! **Files are read again by looking, not by a signal.** Whoever renews them need not know that this
//! server exists, and a terminal that closes still ends a server that was started in it.
//!
//! **A shell's tokens lie in a file, and the keyring holds the key to it.** Keyrings have no lock
//! that several processes could share, and some take no more than a few kilobytes; a file has both,
//! and is replaced whole. It is sealed under 32 bytes that the keyring keeps, where there is one.
//! The system's own program asks it: the `keyring` crate speaks D-Bus by forty further crates and an
//! executor beside tokio, for three calls. Where that program is missing, the file is plain, mode
//! 0600, and `login` says so.
//!
//! **An anonymous session is no browser session.** It has a table, a cookie and a subject of its own, so
//! that no code that asks for a person can take it for one. What merges it is marked on it, and
//! nothing of it passes on: a resource server learns from the operator, or not at all, who it was.
//!
//! **Counts may be lost, tokens may not wait.** How clients are used is counted in memory and written
//! every ten seconds, and at a stop, in one commit for all of it; a crash takes the last seconds
//! along. Only clients that there are are counted, so many in an hour and so many reasons each, and
//! no hour for longer than eight days: a stranger can make neither memory nor file grow.
//!
//! **A session tells what its browser told last.** Its row is written at a sign-in and every ten
//! minutes of use anyway, and what the request tells of its device goes with it. Which program that
//! is, and whether it names itself a robot, is read out of it by a list of our own
//! ([`oauth::agent`]) when it is shown: a better list knows yesterday's sessions too. Nothing is
//! decided by it, since it proves nothing.
//!
//! **An issuer has no path.** Cookies and passkeys belong to an origin, and two issuers under one
//! origin could not be kept apart.

pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod event;
pub mod fetch;
pub mod flow;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod keys;
pub mod model;
pub mod oauth;
mod oauth_client;
pub mod passkey;
pub mod password;
pub mod secret;
pub mod serve;
pub mod store;
pub mod tls;
