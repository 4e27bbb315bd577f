//! Gatelodge: an authorization server in one binary and one file.
//!
//! It serves OAuth 2.1 and OpenID Connect to applications, and passkeys to people. This page is the
//! map; the README and the manual (`assets/manual/`, `gatelodge manual`) say how to run it.
//!
//! # Rooms
//!
//! A *room* is a top-level module with a rule about what it may import. Imports point one way, and
//! `tests/rooms.rs` fails on any other:
//!
//! `cli`, `http` → `admin` → `app` → `flow` → `store` → `model` → `oauth`
//!
//! | room | owns | may not |
//! |---|---|---|
//! | [`oauth`] | the protocol's vocabulary: parsers and printers, pure and total | do I/O, read the clock, know a table |
//! | [`model`] | the other vocabulary: person, user agent, bridge, application behind a proxy, catalogue, look | the same |
//! | [`store`] | typed tables and transactions in one redb file, with one writer | know what a flow is |
//! | [`flow`] | transitions: `fn(tx, context, facts) -> outcome`, one transaction each, in folders by domain | wait, tell the time, speak HTTP |
//! | [`app`] | the shared state, and use cases that wait: fetch, prove, transition, sign | know axum, a cookie or a form |
//! | [`http`] | endpoints, extractors, cookies, pages, the router on one page | decide what a transition could decide |
//! | [`admin`] | the operations of administrators, one file a noun with one typed view, served on the Unix socket and, by [`http`], at the ports | print |
//! | `cli` | the command line: text or JSON, over the socket or in process | know a row |
//! | `oauth_client` | a general OAuth client for `login` and `credential`: sign-in, token file, keyring | know the server |
//! | [`keys`], `passkey`, `password`, [`tls`] | each wraps one foreign crate | |
//! | [`fetch`] | requests to the URLs of clients and to the webhook; of those that strangers name, only to public addresses | know a client |
//! | [`contain`] | what the process gives up before it serves | know more than the configuration |
//! | [`config`], [`error`], `event`, `lanes`, [`secret`], [`clock`], [`metrics`], `private_file` | stand under everything | |
//!
//! `serve` holds the listeners and the background tasks. `dev` puts a development server around what
//! `serve` serves, over memory and on loopback alone; [`testing`] has that in process.
//!
//! # Where is …?
//!
//! | question | place |
//! |---|---|
//! | every route | [`http::router`] |
//! | every refusal: its code on the wire, reason, remedy and section | [`error`] |
//! | what a page and a log line say of a request beside its refusal | `http/facts.rs` |
//! | `Host`, and the address of the client | `http/extract/host.rs`, `http/extract/peer.rs` |
//! | cross-site and anti-forgery checks | `http/extract/own_page.rs` |
//! | every text of the pages, and the language of a request | `assets/texts/`, `http/texts/`; `http/about.rs` |
//! | what a person can do after a refusal; whom a page names | `http/ways.rs` |
//! | what a reload or another tab reads after an answer; what the next page says was done | `http/extract/outcomes.rs`; `http/done.rs` |
//! | what a browser may keep for good | `http/assets.rs` |
//! | the look of the operator: its keys; the accent in each scheme; logos, also of clients | `config/look.rs`; [`model::look`]; [`flow::client::logo`], `http/logos.rs` |
//! | names and attributes of cookies | `http/pages/cookie.rs`, `http/proxy.rs`, `http/cookie.rs` |
//! | a session that is a key: the layer, the proof, its verification, the script | `http/pages/prove.rs`, [`model::session_proof`], `app/session_proof.rs`, `assets/static/session.js` |
//! | the pages of administrators: who gets in; people and what they have; what asks before it is done | `http/admin_pages/administrator.rs`; `http/admin_pages/people/`; `http/admin_pages/people/deed.rs` |
//! | a form over which the sign-in of an administrator grew old | `http/admin_pages/drafts.rs` |
//! | what a page says of a role; which words of a sentence are a command | `http/admin_pages/roles.rs`; `http/commands.rs` |
//! | where a browser may be sent, and every `Location` | `http/destination.rs`, `http/redirect.rs` |
//! | `redirect_uri` at authorization | [`oauth::authorize::Callback`], [`oauth::redirect_uri`] |
//! | PKCE: who needs a challenge; the verifier | [`flow::authorize`], [`flow::token::code`] |
//! | the order of the pages of an authorization | [`flow::authorize::step`] |
//! | whether an error may be redirected before a sign-in | [`flow::authorize::is_vouched_for`] |
//! | consent: when it is needed; where it is stored; its page | [`flow::authorize::step`], [`flow::authorize::consent`]; `http/pages/consent.rs` |
//! | device grant: the page; the polls | [`flow::authorize::device`], [`flow::token::device`] |
//! | code redemption, refresh and replay | [`flow::token::code`], [`flow::token::refresh`] |
//! | which refresh token of a grant is the newest, and when the others were spent | [`flow::token::family`] |
//! | what a linked device was given, and how all of it ends | [`flow::bridge::device`], [`flow::bridge::belongings`] |
//! | the restore of a backup | [`flow::installation::restore`] |
//! | what a grant is, and when it is live | [`flow::token::grant`] |
//! | what a person lets a client do, and how all of it ends | [`flow::token::connection`] |
//! | the catalogue of known applications: its files; an entry, and the client made of it | `assets/applications/`; [`model::catalogue`], `admin/catalogue.rs` |
//! | which people may use a client | [`oauth::client::decisions::OperatorDecisions::admit`] |
//! | the lifetime of a token | [`flow::Rules`], [`flow::token::issue`] |
//! | the claims about a person, and which scope has them | [`flow::token::issue`], [`oauth::authorize::claims`] |
//! | e-mail addresses: when two are one, who vouches for one | [`model::email`], [`flow::person::people`] |
//! | introspection: who may see a token | [`flow::token::introspect`] |
//! | which resources, scopes and type a token may have | [`flow::resource`] |
//! | the signing keys: their rotation, by the schedule or by an operator, and the thread of a slow signature; their states | [`flow::installation::signing`], `app/signing_keys.rs`; `keys/standing.rs` |
//! | the root secret: its rotation, what is hashed anew, what `--forget` ends; the key file; hashes under each generation | [`flow::installation::root`]; `app/root.rs`, `app/open/key_file.rs`; `secret/{root,pepper}.rs` |
//! | a token that an operator issues | [`flow::token::operator`] |
//! | which kind of JWT a token is | `keys/verification.rs` |
//! | how a client proves itself | [`flow::client::authentication`], `app/client_authentication.rs` |
//! | where an app is that gave itself its name | [`flow::client::self_named`] |
//! | registration and client documents | [`flow::client`], `app/registration.rs`, `app/documents.rs` |
//! | setup links: what ends one, and what has become of it | [`flow::person::setup_link`] |
//! | what ends with the administrator or client that made it | [`flow::person::made`] |
//! | a recovery, and what it ends | [`flow::person::recovery`] |
//! | invitations; accounts without a link | [`flow::person::invitation`]; [`flow::person::enroll`] |
//! | what a signature proves | [`keys`] |
//! | the passkeys of a person; the marks of those that were removed | [`flow::person::passkeys`] |
//! | what needs a sign-in within the last five minutes | [`flow::session::recent`], [`flow::person::own`], `http/pages/own_passkeys.rs` |
//! | the parts of the account page; the apps to open | `http/account/`; [`flow::launcher`] |
//! | recovery codes | [`flow::person::recovery_codes`], `secret/recovery.rs` |
//! | sign-in with a passkey | [`flow::person::login`], `app/sign_in.rs` |
//! | logout; notification of clients | [`flow::session::logout`]; [`flow::session::backchannel`], `app/logout_delivery.rs` |
//! | events that go out: to the webhook, its queue and its signature; to syslog | `app/events/webhook.rs`, [`flow::events::delivery`], [`secret::WebhookSecret`]; `cli/event/syslog.rs` |
//! | what strangers may have stored; whom a full pool takes from | [`flow::admission`] |
//! | limits on guesses and registrations | [`flow::throttle`] |
//! | a file that is applied: its TOML and its lines, its members, the transaction, the difference | `cli/apply/`, `admin/apply/`, [`flow::apply`], `flow/apply/ledger.rs` |
//! | an export: its lines; what an import takes of it, and what it lists instead | [`flow::exchange`], `flow/exchange/lines.rs`; `flow/exchange/plan.rs` |
//! | the files of other servers, and what does not come along | `cli/exchange/`, `cli/exchange/foreign.rs` |
//! | scopes and roles beside the configuration | [`flow::apply::definitions`], [`config::Definitions`] |
//! | what a file made, and `--prune` removes | `flow/apply/marks.rs`, `flow/apply/prune.rs` |
//! | the right that an operation needs; what an administrator may touch | `admin/operation/by.rs`; [`flow::rights`] |
//! | every operation of the administration, and its description | `admin/mod.rs`, `admin/operation/openapi.rs`, `assets/openapi.json` |
//! | the fields of a form of the administration, and what was changed in it | `http/admin_pages/fields.rs` |
//! | the members of a client as people read them; what is pasted for it; what to know of it | `admin/client/paste.rs`, `admin/client/notes.rs` |
//! | the administration at the ports | `http/administration.rs`, [`flow::token::access`] |
//! | whom an operator names by an id, a name or the beginning of an id | [`flow::named`] |
//! | the end of a person, client or session, and its rows | [`flow::removal`] |
//! | bounds on connections, and which one goes; slow peers | `serve/connections.rs`, `serve/descriptors.rs`; `serve/paced.rs` |
//! | the log: its thread, and a line of it as JSON | `serve/log.rs`, `serve/lines.rs`, `serve/json_line.rs` |
//! | what `/metrics` says | [`metrics`], `app/metrics.rs`, `http/metrics.rs` |
//! | what `doctor` looks at; how a request comes through the proxy | `app/doctor`, `admin/doctor`, `cli/doctor`; `http/extract/probe.rs` |
//! | who does something, and with which right | [`model::actor`], `admin/operation/by.rs` |
//! | events: of acts; of refused requests; their bounds | [`flow::events`]; `app/events/mod.rs`, `http/about.rs` |
//! | the change that lets a refused request pass: what it is and its command, its operation, its page | `flow/events/{explain,repair}.rs`; `admin/event/repair.rs`; `http/admin_pages/event_repair.rs` |
//! | expired rows | [`flow::installation::sweep`] |
//! | every key of the configuration, and whether a reload takes it | `config/keys.rs` |
//! | the configuration in force, and its reload | [`config::InForce`], `app/configuration.rs` |
//! | a clock that jumps | [`clock::ClockWatch`], `app/clock.rs`, [`flow::installation::clock`] |
//! | the expiry of what is used once | [`flow::installation::evidence`] |
//! | rows, indices, expiry, weights | [`store::schema`] |
//! | what the server may still do, and what it never may | [`contain`], `cli/serve/contained.rs` |
//! | how `--open` has the browser open a setup link that no command line shows | `cli/serve/opener.rs`, `cli/serve/visit.rs` |
//! | what a service manager gives and hears; the files by which it runs the server | `serve/manager.rs`; `assets/service/`, `cli/service/` |
//! | what `make dist` makes, and whether two builds are the same; the packages for npm and PyPI, each with one fixture | `assets/dist/`; `assets/packages/` |
//! | a disk that fails, and how the store survives it; what of a large write goes to it | `store/engine/mod.rs`, `store/engine/overlay.rs`; `store/engine/large_writes.rs` |
//! | which rows are read once for many requests | [`store::View::find_shared`], `store/engine/known_rows.rs` |
//! | a development server: what it is to be, the layer around the router, approval without a page, the control API and who may use it | `dev/plan.rs`, `dev/site.rs`, `dev/approval.rs`, `dev/control/`, `dev/control/guard.rs` |
//! | keys, ids and codes of a seed | [`secret::drawing`], `keys/source.rs`, `dev/installation.rs` |
//! | a backup, its restore, and an upgrade | [`store::backup`], [`store::restore`], [`store::migrate`], `app/backup/` |
//! | a file that is damaged: the checksum of a row, the check, the file made anew | `store/seal.rs`, [`store::check`], [`store::rewrite`] |
//! | which rows a row cannot do without | [`store::Row::references`] |
//! | how large the tables are, and were | [`flow::installation::sizes`], `app/store_file/sizes.rs` |
//! | the operations and views of a noun (`client list`) | [`admin`], one file a noun |
//!
//! # Glossary
//!
//! Names are the RFCs'. These few are the project's own:
//!
//! - **refusal**: the precise reason why a request fails ([`error::Refusal`]). The wire gets its
//!   RFC code and the reason, or the sentence of several causes that a stranger must not tell apart;
//!   the log gets the reason and the remedy.
//! - **transition**: a function that runs in one transaction. It may run again, and `Err` means that
//!   nothing was written.
//! - **view**: what reads the store, a snapshot or a transaction ([`store::View`]).
//! - **context**: what a transition is given beside its facts: time, seed, rules ([`flow::Context`]).
//! - **present**: the part of it by which what is stored is judged: time and rules ([`flow::Present`]).
//! - **in doubt**: of the clock, that it has jumped by more than a day, and has neither come back nor
//!   run steadily for an hour ([`clock::ClockWatch`]).
//! - **latest time**: the latest that any context had. It never goes back.
//! - **evidence**: the rows that say what was used or revoked, until it has expired anyway.
//! - **deadline**: the expiry of what is used once, by the clock and by the evidence
//!   ([`store::schema::Deadline`]).
//! - **seed**: 32 random bytes from which a transition derives ids and tokens by name, the same ones
//!   however often it runs ([`secret::Seed`]).
//! - **development server**: what `gatelodge dev` starts: not for production.
//! - **fault**: of a development server, what is to happen to the next requests for a path; of a
//!   configuration or a file, what is wrong with it.
//! - **interaction**: a stored request between the authorization endpoint and its response, bound to
//!   one browser. A request that needs no page, by a browser whose session is a cookie, has none.
//! - **step**: what an authorization needs next, worked out anew at each request.
//! - **session key**: the key pair in a browser's storage that is the session, on a loopback issuer or
//!   where `policy.session_key` says so.
//! - **holder**: of a session, the hash of its key or cookie.
//! - **vouched for**: of a client, that an operator registered it or calls it first-party, that its
//!   redirect stays on loopback, or that the person has allowed it there before.
//! - **event**: what is stored of an act or of a refused request ([`flow::events`]).
//! - **setup link**: a link by which one passkey is made, once: for the first administrator, a new
//!   person, a further passkey or a recovery.
//! - **invitation**: a link by which several people make their accounts, as many as it says.
//! - **act**: what a person, an operator, a client or the server does in a transition.
//! - **resolution**: of a refusal, what it takes that such a request passes
//!   ([`error::Resolution`]).
//! - **sweep**: the background transition that removes expired rows.
//! - **vouched**: of an e-mail address, that an operator says it is the person's ([`model::email`]).
//! - **bridge**: a program on a person's machine that carries their identity to local agents.
//! - **hook client**: the client that a person's bridges use for plugins.
//! - **linked device**: what a bridge comes in by and was given: a personal token or a certificate, the
//!   sessions that it opened, and its secret of the hook client.
//! - **application**: a web application behind a proxy that asks `/auth/verify` (forward-auth).
//! - **catalogue**: what is known of applications that others make, an *entry* each. An entry makes an
//!   ordinary client, and nothing of it is stored ([`model::catalogue`]).
//! - **applied file**: what `gatelodge apply` read. Its scopes and roles are rows, and the rules in
//!   force are the configuration with them ([`flow::Rules`]).
//! - **mark**: the row that says that `gatelodge apply` made something
//!   ([`store::schema::Applied`]).
//! - **reference**: a row that another one names, and that has to be there as long as that one
//!   ([`store::Row::references`]).
//! - **share**: what a stored row weighs on: a pool, a network in it, or a person
//!   ([`store::Share`]).
//! - **pool**: the rows of one kind that strangers may have stored, with bounds of their own
//!   ([`store::Pool`]). Its *holders* are networks, and people once they opened a row's page.
//! - **pepper**: the keys of every keyed hash: those of the store, anti-forgery tokens, pairwise
//!   subjects.
//! - **root key**, or root secret: what every other key is derived from, and the file `gatelodge.key` holds.
//!   Several may be *in force*: the newest, and those that a rotation left to open what is older.
//! - **generation** of a root key: its number, in each hash, refresh token and sealed key that is made
//!   under it ([`secret::Generations`]).
//! - **mark** of a value: its hash under the lasting key, which no rotation changes. It is for what is no
//!   secret and has to be remembered ([`secret::Pepper::mark`]).
//! - **chosen secret**: a client secret that an operator chose, checked by Argon2id. The server
//!   *generates* every other one.
//! - **connection**: what a person lets a client do: its grants in force and the remembered consent.
//!   Whoever ends it ends both; a grant that ends leaves the consent.
//! - **family**: the refresh tokens of a grant, one after the other. All but the newest are spent.
//! - **generation**: the place of a refresh token in its family; the first is 0.
//! - **ahead of the store**: of a refresh token, newer than the newest that the store knows.
//! - **replay grace**: the time within which a spent refresh token yields the newest of its family,
//!   for programs that share a token file: 60 seconds, and up to 68 in a family that rotates fast.
//!
//! # Invariants
//!
//! 1. What was acknowledged is durable: a commit is synced, in two phases, before anyone hears of it.
//! 2. A code, a refresh token, a setup link, each use of an invitation, a ceremony and an
//!    interaction have one effect each, whatever the concurrency: they are read and spent in one
//!    transaction.
//! 3. What was spent or revoked stays so, wherever the clock goes: it is judged by the time up to
//!    which evidence was removed, too, and that never goes back.
//! 4. No secret is stored or logged in the clear: the store holds keyed hashes, secret types have no
//!    `Debug` or `Display`, signing keys are encrypted under the root secret.
//! 5. A `Location` is made from a `Destination` (`http/destination.rs`), and a `Destination` only
//!    from what proves the place: that of a client from a
//!    [`Callback`](oauth::authorize::Callback), and a `Callback` only from a registered redirect URI.
//! 6. A refusal gives the wire its RFC's code, and the log its own reason and a remedy, under an event
//!    id. No sentence contains a value of the request. Where a page and the log show one, it stands
//!    beside the sentence: bounded, labelled, without characters that hide or move others, and in the
//!    log without the query of an address.
//!
//! # Threats
//!
//! - *Replay.* A code that returns ends the grant it made. A refresh token that returns after its
//!   grace ends its grant.
//! - *Rolled-back store.* A refresh token ahead of the store is taken if a restore is recorded, and
//!   otherwise once a grant. Each is logged, and the family stays one line, so that the use of a
//!   copied one is noticed as ever.
//! - *Forged refresh token.* Neither the store nor the root secret alone makes one, and whoever knows
//!   the id of a grant, which its access tokens name, can neither use nor end it.
//! - *Wrong clock.* It ends what lives by the clock, until it is corrected. It brings back nothing that
//!   was spent or revoked, and removes nothing for good before it has run for an hour.
//! - *Race.* One writer thread runs transitions one after the other; each sees all before it.
//! - *Client mix-up.* The client is proven before a code is looked up, and a code of another client
//!   is refused unspent.
//! - *Code injection.* A challenge binds a code to the browser that asked for it, and every public
//!   client has to send one. A confidential client may send a nonce instead where the operator says
//!   so, and neither where the operator says so of this client. The limit: its `state` then protects
//!   it, and only the client can check that; each start names such clients.
//! - *Browser swap.* An interaction needs its cookie, a ceremony its browser, a form the anti-forgery
//!   token of its session. Where other ports receive the cookie, the storage that opens the page of an
//!   interaction first is the only one that opens it again, so that nobody finishes it with an account
//!   of their own.
//! - *Open redirector.* Anybody may register a client, and have it refused. So an error that comes
//!   before a sign-in goes only to a client that is vouched for; of any other it is displayed, and the
//!   person presses a button. The exception is `prompt=none` (RFC 9700 §4.11.2). Where a session is a
//!   key, the request shows no person, so what they allowed before does not count.
//! - *Forced sign-out.* A valid `id_token_hint` ends the session that it names, wherever it comes from,
//!   and no other: whoever brings it has an ID token of that session. Anything else is asked about.
//! - *Parameter tampering.* The validated request is stored, or answered at once; no page carries an
//!   OAuth parameter. The scope that consent displayed is compared with the scope that would be granted.
//! - *Cookie theft by another port.* A browser sends a cookie of localhost to every port, and a
//!   program there need only answer a redirect to its own `/gate/x`. On a loopback issuer no cookie
//!   proves anybody: the session is a key in the origin's storage, and data, anti-forgery tokens,
//!   codes and tokens are given only against its proof. The limit: an application behind a proxy
//!   knows nothing of keys, so the session there is a cookie, and on a loopback host other ports of
//!   that host receive it.
//! - *Replay of a proof.* It is for one method, path and body, serves once within a minute, and signs a
//!   challenge of this process. The limit: a program that takes the port while the server is down is
//!   the origin. It cannot copy a key, and what it signs is worth nothing later; but a script that it
//!   leaves there (a service worker) may act in the pages to come. As a service of systemd the port is held
//!   meanwhile (`gatelodge service install`).
//! - *Copied passkey.* A counter that goes back is logged, and refuses a passkey of one device. The
//!   copies of one that may be synchronised count for themselves. A passkey that a frame of another
//!   page asked for is refused.
//! - *Stolen device.* Its passkey is removed, every other session ended with what was allowed in it, and
//!   its bridge ended with its tokens, each on the account page. A sign-in that is at most five minutes old
//!   is asked for before a passkey or a code is made or removed, the profile is changed or every other
//!   session ended, and proven in the transition.
//! - *Deleted passkey.* A browser forgets one for good only by the mark of one that was removed here, whose
//!   id and owner both match: a row that is absent proves nothing after a restore, nor on a host that
//!   others share. The page that has just made one, and is told that too many came at once, forgets it, too.
//! - *Borrowed name.* A client that a stranger registered is never found by its name. Where a person signs
//!   in for a client that named itself, or allows it something, its host stands beside the name, and that
//!   nobody checked it.
//! - *Answer of somebody else.* Consent says as whom it is given, and lets another person sign in first. The
//!   session there is ends with that sign-in and not before.
//! - *Colluding clients.* A client with pairwise subjects knows a session by a `sid` of its sector, too.
//! - *Token of another server.* A resource sees its tokens. One that was issued with `openid` opens
//!   userinfo here and nothing else, and none has a scope of the administration. An ID token is no
//!   access token and the other way round, whatever their type says ([`keys`]).
//! - *Claimed e-mail address.* What a person typed is verified for nobody until an operator vouches for
//!   it, naming it. Two people never have one address, in whatever form it is written, and an operator
//!   gives it to its owner whoever typed it. The limit: who is signed in learns from a refusal that
//!   somebody has an address.
//! - *Image with a script.* Whatever an image of an operator contains, it is served with a policy under
//!   which nothing runs and nothing is loaded, and a client's is no SVG.
//! - *Made-up answer.* The cookie of what was answered last grants nothing: it chooses a sentence and a
//!   registered client, whose address is an operator's.
//! - *Framing.* No page may be in a frame, but that of a `prompt=none` request, which displays nothing
//!   and asks nothing, in a frame of the origin of its own `redirect_uri`.
//! - *Forged proxy headers.* The host in `X-Forwarded-Host` counts if a proxy sends it that the
//!   configuration names, or one on this machine; an application that the headers of a proxy name in
//!   two ways is refused. An application shares no host name with the issuer, whose cookies would reach
//!   its port. A code that goes to an application comes back from the browser that started, or not at
//!   all.
//! - *Forged client address.* `X-Forwarded-For` is read from the right, as long as each hop is a proxy
//!   that the configuration names. A connection without a known peer is no loopback connection.
//! - *Flood.* What is stored before a person is proven is bounded in rows and bytes, in all and by
//!   network, and a full pool takes from whoever holds most ([`flow::admission`]), whatever rank its
//!   rows have. A passkey ceremony is not stored at all. A request of a script or an image of another
//!   page stores nothing.
//! - *Client impersonation.* A public client on loopback or on a private-use scheme is confirmed by
//!   the person each time.
//! - *Anonymous session takeover.* An anonymous session is always new, its cookie is read at an
//!   enrolment alone, and then everything under it ends ([`flow::session::anonymous`]).
//! - *DNS rebinding.* A `Host` that is none of ours is answered with 421.
//! - *A page that reaches a development server.* The control API needs a token that is never made of the
//!   seed, and refuses a `Host` that is no address of the server and whatever a browser sends for a page,
//!   before it looks at the token. A client that is made when it is met first has a redirect URI that
//!   leads to this machine or to nobody. The limit: a page may send the browser to the authorization
//!   endpoint of a registered client, which then gets a code for the person who approves everything.
//! - *A development server in production.* It has no setting: `serve` knows none of its flags, and it
//!   listens on loopback alone. Its RSA key is in the program, so its tokens prove nothing.
//! - *Server-side request forgery.* A URL that a client names leads only to public addresses, one that
//!   an operator named also to loopback and private networks, and the connection goes to the very
//!   address that was checked ([`fetch`]).
//! - *A crowd of fetches.* A network has at most a quarter of the turns, and a free one goes round by
//!   network; on loopback, by the domain that is asked. What was fetched well before counts its own
//!   failures alone, as everything does on loopback, so nobody uses up the limit of another
//!   ([`fetch::Asker`], [`flow::throttle`]).
//! - *Identity header injection.* A response to a proxy carries every identity header, so that the
//!   proxy replaces those from outside ([`flow::application`]).
//! - *Guessing.* Attempts at what a person can type are counted by network and by account, in rows, so
//!   that a restart gives nobody new attempts. What is guessed at is never locked, since anybody could
//!   lock it. A 256-bit value is not counted: nobody guesses it. On loopback, where everybody has one
//!   network, the hasher of chosen secrets bounds the rate, and networks share it fairly
//!   ([`flow::throttle`], `password`).
//! - *Slow peers.* A handshake and a header have ten seconds each to arrive, a body fifteen. Once a
//!   response waits for its peer, the peer reads 4 KiB in every fifteen seconds and all of it within a
//!   minute, or the connection is closed. A header section has at most 32 KiB. Of requests that are
//!   sent together, those behind the first wait for everybody else.
//! - *Too many connections.* A newcomer is never refused: the stalest connection of its network goes,
//!   or of the network that has most. Descriptors are reserved for the store, outgoing requests and
//!   the administration socket, so that an operator reaches a crowded server.
//! - *Metrics through a proxy.* Whoever comes through one brings a token (`http/extract/peer.rs`).
//! - *Token redirection.* A token names its resource; each endpoint of this server requires its own.
//! - *Leaked old key.* A retired key verifies hints and nothing else ([`keys::VerifiedAccess`]).
//! - *Leaked root secret.* A new one takes its place, and `--forget` ends what only the old one opens. The
//!   limit: whoever had the old one and the store read the signing keys (`key rotate --now --revoke`), and
//!   knows the key of pairwise subjects, which stays.
//! - *Leaked key.* An operator revokes the keys of an algorithm, all of them, since whoever has one has
//!   each. They are removed, so that no clock brings them back and no hint of theirs ends a session. The
//!   limit: whoever verifies by a copy of the keys takes them until the copy is renewed.
//! - *Lost device.* Whatever ends a part of a linked device ends all of it, since what would stay could
//!   bring the rest back ([`flow::bridge::device`]).
//! - *Copied certificate.* A fingerprint is a public value. Only a
//!   [`ProvenCertificate`](tls::ProvenCertificate) counts, and only a handshake makes one.
//! - *Administrator with a part of the rights.* Whatever touches somebody or something with a scope of
//!   the administration that the actor lacks is refused in the transition itself ([`flow::rights`]).
//! - *Administrator no longer.* Each request, and each transition, asks what the client and the person
//!   may now, whatever the token says.
//! - *Server that was taken over.* It starts no program, reads and writes no foreign file, and in an offline
//!   installation reaches no port that nobody registered; the kernel keeps it ([`contain`]). The limit: what
//!   the process has, it has. The child of `--open` reads one line, the page, and never another.
//! - *Stolen local CA.* Its name constraints exclude every name of the public internet but this
//!   server's own.
//! - *Planted command.* Whoever sends a request decides what its explanation suggests, so a value of
//!   it is in a command only if the setting takes it, as one word of the shell, and the manual tells to
//!   look at it.
//! - *Flood of refusals.* Their events are in a pool, those of a person in a share of theirs, and those
//!   of operators in neither, so that nobody pushes out an event of somebody else.
//! - *Enumeration.* Sign-in names nobody; an unknown client and a wrong secret look alike. Whether a
//!   username or an address is taken is told to whoever makes an account, so often in a minute by network
//!   and by invitation.
//! - *Invitation of somebody who left.* It opens nothing once its maker may not give what it gives.
//!
//! What was decided, and why, is in `src/decisions.md`, the last part of this page.
#![doc = include_str!("decisions.md")]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("Gatelodge is built for Linux and macOS");

pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contain;
mod dev;
pub mod error;
pub mod event;
pub mod fetch;
pub mod flow;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod keys;
mod lanes;
pub mod metrics;
pub mod model;
pub mod oauth;
mod oauth_client;
mod passkey;
mod password;
mod private_file;
pub mod secret;
mod serve;
pub mod store;
pub mod testing;
pub mod tls;
